import type { Document } from 'yaml';

/** A config file as problems are shown in it. */
export interface SourceFile {
  /** The file as the user knows it. */
  readonly file: string;
  readonly text: string;
  /**
   * The file as a YAML document, or undefined if it is not one that the gateway takes. An offset in a place counts
   * from the start of the scalar at its pointer, and without a document from the start of the file.
   */
  readonly document?: Document | undefined;
}

/** The sources of a config by the `file` of their places. */
export type Sources = ReadonlyMap<string, SourceFile>;
