/** A difference between the expected and the actual outcome of a test. */
export interface Mismatch {
  /** The field of `expect`, or of the input by its JSON pointer; of an alert the time. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}
