import { containsCredentialWord } from '../contract/credential-names.ts';

const censor = '[secret]';
/** Deeper than this nothing is logged. */
const maxDepth = 8;

/**
 * The fields of a log line without credentials, wherever they are. Pino's own redaction of names at any depth takes
 * longer than the rest of the line, so this one returns the same object if there is nothing to redact.
 */
export function redactSecrets<T extends object>(fields: T): T {
  return redact(fields, 1) as T;
}

/**
 * The same for a line of the log. In the gateway's own lines `secret` is the name of the secret that a caller used, and
 * stays. Lines of plugins, which have `plugin`, may hold anything.
 */
export function redactLine<T extends object>(fields: T): T {
  return redact(fields, 1, 'plugin' in fields ? undefined : 'secret') as T;
}

function redact(value: object, depth: number, kept?: string): object {
  if (depth > maxDepth) return { truncated: true };
  if (Array.isArray(value)) return redactItems(value, depth);
  // Errors, dates and similar objects have their own serializers.
  if (depth > 1 && !isPlain(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const shown = name !== kept && isCredential(name, member) ? censor : shownMember(member, depth);
    if (shown === member) continue;
    copy ??= { ...value };
    copy[name] = shown;
  }
  return copy ?? value;
}

/** Numbers under such names are counts, e.g. of tokens. */
function isCredential(name: string, member: unknown): boolean {
  if (typeof member === 'number' || typeof member === 'boolean' || member === undefined) return false;
  return containsCredentialWord(name);
}

function redactItems(items: readonly unknown[], depth: number): readonly unknown[] {
  const shown = items.map((item) => shownMember(item, depth));
  return shown.some((item, index) => item !== items[index]) ? shown : items;
}

function shownMember(member: unknown, depth: number): unknown {
  return typeof member === 'object' && member !== null ? redact(member, depth + 1) : member;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
