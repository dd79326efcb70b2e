import type { JsonValue } from '../contract/index.ts';
import { AgentFault, failed, withDetail } from './failures.ts';

export type ParsedAgentJson =
  | { readonly ok: true; readonly value: JsonValue }
  /** What it is instead, to follow "agent answered with". */
  | { readonly ok: false; readonly fault: string };

/** Deep enough for any honest answer, and far from where recursion over it would overflow the stack. */
const maxDepth = 200;

/**
 * Parses JSON of an agent. Refuses what would harm code that walks or merges it: nesting deeper than 200 levels, and
 * members named `__proto__` (prototype pollution). Never throws.
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

/** Parses JSON of an agent, or throws an AgentFault that is not retryable. */
export function parsed(text: string): JsonValue {
  const json = parseAgentJson(text);
  if (!json.ok) throw new AgentFault(withDetail(failed(`agent answered with ${json.fault}`), text));
  return json.value;
}

/** Returns parsed JSON of an agent, or throws an AgentFault if `parseAgentJson` would refuse it. */
export function checked<Value extends JsonValue>(value: Value): Value {
  const fault = faultOf(value);
  if (fault !== undefined) throw new AgentFault(failed(`agent answered with ${fault}`));
  return value;
}

/** Decodes UTF-8 of an agent, or throws an AgentFault that is not retryable: nothing is replaced silently. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notUtf8();
  }
}

/** The fault of an agent that sends text in another encoding. */
export function notUtf8(): AgentFault {
  return new AgentFault(failed('agent answered with text that is not UTF-8'));
}

/** Walks the value level by level, since a deep one would break a recursion. */
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
