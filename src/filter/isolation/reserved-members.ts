/**
 * Marks that the reference sets on its own values but looks for on every value: an input with such a member could
 * impersonate a function or a tuple stream, and make `$` its member "0".
 */
const reservedNames: ReadonlySet<string> = new Set([
  '_jsonata_function',
  '_jsonata_lambda',
  'outerWrapper',
  'tupleStream',
]);

/** Whether a value has, at any depth, a member that the reference would mistake for one of its marks. */
export function hasReservedMember(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasReservedMember);
  return Object.entries(value).some(([name, member]) => reservedNames.has(name) || hasReservedMember(member));
}
