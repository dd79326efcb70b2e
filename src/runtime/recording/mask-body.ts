import type { JsonValue } from '../../contract/index.ts';
import { replaceAt } from '../../contract/replace-at.ts';
import { parseLexically } from './lexical-json.ts';

export interface MaskedBody {
  readonly text: string | undefined;
  /** Those of the pointers at which something was. */
  readonly masked: readonly string[];
}

/**
 * A body with nothing left of what stands at the pointers. What takes its place is of the same type, so that the body
 * is still one that the gateway takes.
 */
export function maskBody(text: string | undefined, pointers: readonly string[]): MaskedBody {
  if (text === undefined || pointers.length === 0) return { text, masked: [] };
  const masked: string[] = [];
  const body = pointers.reduce<JsonValue>(
    (value, pointer) =>
      replaceAt(value, pointer, (found) => {
        masked.push(pointer);
        return ofKnownForm.get(pointer) ?? standInFor(found);
      }),
    parseLexically(text),
  );
  return { text: masked.length === 0 ? text : JSON.stringify(body), masked };
}

/** Members that the gateway takes only in a certain form (schemas/source/trigger-body.schema.json). */
const ofKnownForm: ReadonlyMap<string, string> = new Map([
  ['/language', 'en'],
  ['/timezone', 'UTC'],
]);

function standInFor(found: JsonValue): JsonValue {
  if (typeof found === 'string') return '***';
  if (typeof found === 'boolean') return false;
  if (Array.isArray(found)) return [];
  // A number is an object here, so that its digits are kept where it is not masked.
  if (typeof found === 'object' && found !== null) return isNumber(found) ? 0 : {};
  return null;
}

function isNumber(lexical: object): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(lexical);
}
