/** The ways in which a plan can be printed. */
export const planFormats = ['text', 'markdown', 'json', 'github', 'sarif'] as const;
export type PlanFormat = (typeof planFormats)[number];
