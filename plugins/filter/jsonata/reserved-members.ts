import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';

/**
 * Marks that JSONata sets on its own values and looks for on all: a body with such a member would be taken for a
 * function or a stream of tuples, and `$` for its member "0".
 */
const reservedNames: ReadonlySet<string> = new Set([
  '_jsonata_function',
  '_jsonata_lambda',
  'outerWrapper',
  'tupleStream',
]);

/** Says whether the body has, at any depth, a member that would change what an expression means. */
export function hasReservedMember(bodyText: string | undefined, input: JsonObject): boolean {
  // Any other text cannot spell one of the names, and spares the walk.
  return bodyText !== undefined && maySpellReservedName(bodyText) && holdsReservedName(input);
}

function maySpellReservedName(text: string): boolean {
  return (
    text.includes('\\u') || text.includes('_jsonata_') || text.includes('outerWrapper') || text.includes('tupleStream')
  );
}

function holdsReservedName(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsReservedName);
  return Object.entries(value).some(([name, member]) => reservedNames.has(name) || holdsReservedName(member));
}
