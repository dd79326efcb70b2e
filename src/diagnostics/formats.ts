/** The ways in which problems can be printed. */
export const problemFormats = ['text', 'json', 'github', 'sarif'] as const;
export type ProblemFormat = (typeof problemFormats)[number];

export interface FormatOptions {
  readonly format: ProblemFormat;
  /** Colours for a terminal; `text` alone has them. */
  readonly color?: boolean;
  /** The repository that the files are in, as an absolute path: `github` and `sarif` name files from there. */
  readonly root?: string | undefined;
  /** The version of the tool that prints, for `sarif`. */
  readonly version?: string;
}
