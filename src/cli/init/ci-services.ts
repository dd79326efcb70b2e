/** The CI services that can check the pull requests of a repository. */
export const ciServices = ['github', 'gitlab', 'none'] as const;
export type CiService = (typeof ciServices)[number];
