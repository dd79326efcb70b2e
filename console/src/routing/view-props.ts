/** What a view gets of its address. */
export interface ViewProps {
  /** What follows the name of the view. */
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}
