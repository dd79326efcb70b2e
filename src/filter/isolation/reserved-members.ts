/**
 * Marks that the reference sets on its own values and looks for on all: an input with such a member would be taken for
 * a function or a stream of tuples, and `$` for its member "0".
 */
const reservedNames: ReadonlySet<string> = new Set([
  '_jsonata_function',
  '_jsonata_lambda',
  'outerWrapper',
  'tupleStream',
]);

/** Says whether a value has, at any depth, a member that would change what an expression means to the reference. */
export function hasReservedMember(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasReservedMember);
  return Object.entries(value).some(([name, member]) => reservedNames.has(name) || hasReservedMember(member));
}
