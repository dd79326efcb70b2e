/** The parameters of a request. */
export interface KnownParameters {
  /** Those that are `true` or `false`. */
  readonly flags?: readonly string[];
  readonly texts?: readonly string[];
}

/** What is wrong if a parameter is not one of these. A misspelled one would show or change more than was meant. */
export function unknownParameter(query: object, known: readonly string[]): string | undefined {
  const unknown = Object.keys(query).find((name) => !known.includes(name));
  const hint = known.length === 0 ? 'There are none here.' : `Parameters here are ${known.join(', ')}.`;
  return unknown && `Unknown parameter ${JSON.stringify(unknown)}. ${hint}`;
}

/**
 * What is wrong with the parameters of a request that changes something: one that is unknown, occurs twice, or is neither `true`
 * nor `false`. A dry run that is asked for in other words must not become a real one.
 */
export function wrongParameter(query: object, { flags = [], texts = [] }: KnownParameters = {}): string | undefined {
  const unknown = unknownParameter(query, [...flags, ...texts]);
  if (unknown !== undefined) return unknown;
  for (const [name, value] of Object.entries(query)) {
    if (typeof value !== 'string') return `${name} must occur once.`;
    if (flags.includes(name) && value !== 'true' && value !== 'false') return `${name} must be true or false.`;
  }
  return undefined;
}
