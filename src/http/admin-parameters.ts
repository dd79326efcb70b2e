/** What is wrong if a parameter is not one of these. A misspelled one would show or change more than was meant. */
export function unknownParameter(query: object, known: readonly string[]): string | undefined {
  const unknown = Object.keys(query).find((name) => !known.includes(name));
  return unknown && `Unknown parameter ${JSON.stringify(unknown)}. Parameters here are ${known.join(', ')}.`;
}
