import type { JsonValue } from '../contract/index.ts';

export type ParsedAgentJson =
  | { readonly ok: true; readonly value: JsonValue }
  /** What it is instead, to follow "agent answered with". */
  | { readonly ok: false; readonly fault: string };

/** Deep enough for any honest answer, and far from where recursion over it would overflow the stack. */
const maxDepth = 200;

/**
 * Parses what an agent wrote, for run plugins. The text is foreign: it may be malformed, or made to harm who walks or
 * merges it. Never throws.
 */
export function parseAgentJson(text: string): ParsedAgentJson {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'invalid JSON' };
  }
  const fault = faultOf(value);
  return fault === undefined ? { ok: true, value } : { ok: false, fault };
}

/** Goes through the value level by level, since a recursion is what a deep one would break. */
function faultOf(root: JsonValue): string | undefined {
  let level: readonly JsonValue[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `JSON nested deeper than ${maxDepth} levels`;
    const next: JsonValue[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      if (Object.hasOwn(value, '__proto__')) return 'JSON that has a member named __proto__';
      for (const child of Object.values(value)) next.push(child);
    }
    level = next;
  }
  return undefined;
}
