import type { StageUse } from '../config/model.ts';
import { namesCredential } from '../contract/credential-names.ts';
import type { JsonValue } from '../contract/index.ts';
import { withoutCredentials } from '../diagnostics/credentials.ts';

/** Shown in place of a value that might be a credential. */
const hidden = '(hidden)';
const longest = 120;

function hideWhole(): string {
  return '***';
}

/** A use of a plugin in words: `wait 30s`, `http url http://…, timeout 10m`. */
export function describeUse({ uses, with: options }: Pick<StageUse, 'uses' | 'with'>): string {
  const entries = Object.entries(options);
  const [only] = entries;
  if (only === undefined) return uses;
  if (entries.length === 1 && typeof only[1] !== 'object') return `${uses} ${describeValue(only[1], only[0])}`;
  return `${uses} ${entries.map(([name, value]) => `${name} ${describeValue(value, name)}`).join(', ')}`;
}

/** Auth plugins in the order in which they are asked. */
export function describeAuth(uses: readonly StageUse[]): string {
  return uses.map(describeUse).join(', else ');
}

/** An option's value as it may be shown: references to secrets by name, and nothing that may be a secret. */
export function describeValue(value: JsonValue | undefined, name = ''): string {
  if (value === undefined) return 'none';
  if (typeof value === 'object' && value !== null) return shorten(describeObject(value));
  if (namesCredential(name)) return hidden;
  return shorten(typeof value === 'string' ? withoutCredentials(value, hideWhole) : JSON.stringify(value));
}

function describeObject(value: Extract<JsonValue, object>): string {
  const reference = referenceOf(value);
  return reference ?? JSON.stringify(visible(value));
}

/** `{ env: NAME }` and `{ file: PATH }` contain no secret, only its location. */
function referenceOf(value: object): string | undefined {
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length !== 1 || first === undefined || typeof first[1] !== 'string') return undefined;
  return first[0] === 'env' || first[0] === 'file' ? `${first[0]} ${first[1]}` : undefined;
}

function visible(value: JsonValue, name = ''): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => visible(item, name));
  if (typeof value === 'object' && value !== null) {
    const reference = referenceOf(value);
    if (reference !== undefined) return reference;
    return Object.fromEntries(Object.entries(value).map(([member, one]) => [member, visible(one, member)]));
  }
  if (namesCredential(name)) return hidden;
  return typeof value === 'string' ? withoutCredentials(value, hideWhole) : value;
}

/** Replaces characters that would end the line, control a terminal or reorder text. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu, ' ');
}

function shorten(text: string): string {
  const line = oneLine(text).replace(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** A number with its noun: `1 trigger`, `2 triggers`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}
