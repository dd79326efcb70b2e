/** The ways in which problems can be printed. */
export const problemFormats = ['text', 'json', 'github', 'sarif'] as const;
export type ProblemFormat = (typeof problemFormats)[number];
