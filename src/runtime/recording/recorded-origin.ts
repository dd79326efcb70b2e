import { namesCredential } from '../../contract/credential-names.ts';
import {
  callerBinding,
  type Exchange,
  eventBinding,
  type JsonValue,
  pointerSegments,
  type RunOrigin,
  requestBinding,
} from '../../contract/index.ts';
import { holdsJson, isIndex } from '../../contract/mask-rules.ts';
import type { RecordedOrigin } from '../../engine/types/index.ts';
import type { ProvisionedTrigger } from '../../host/provision-triggers.ts';

/** Names of the claims that the filters, dedup and the run plugin of a trigger may read, without those named like credentials. */
export function recordedClaims({ filter, dedup, config }: Pick<ProvisionedTrigger, 'filter' | 'dedup' | 'config'>) {
  const read = [...filter.map(({ instance }) => instance.reads), dedup?.reads].flatMap((reads) => reads?.claims ?? []);
  return [...new Set([...read, ...config.run.bindings.claims])].filter((name) => !namesCredential(name));
}

/**
 * What of a request is recorded in addition to its body and its headers.
 * @param masked JSON pointers (RFC 6901) to the values of the body that are masked
 */
export function recordedOrigin(
  exchange: Exchange,
  claims: readonly string[],
  masked: readonly string[],
): RecordedOrigin {
  return {
    query: requestBinding(exchange, []).query,
    event: maskEvent(eventBinding(exchange.event), exchange.input, masked),
    claims: callerBinding(exchange.caller, claims).claims,
  };
}

export const maskedText = '***';

/** Masks what of an event is a value that is masked in the body: its parts are read from there, or sent in a header as well. */
export function maskEvent(event: RunOrigin['event'], body: JsonValue, masked: readonly string[]): RunOrigin['event'] {
  if (masked.length === 0) return event;
  const hidden = masked.flatMap((pointer) => hiddenBy(pointerSegments(pointer), body));
  const entries = Object.entries(event).map(([name, value]) => {
    const isHidden = hidden.some((one) => contains(one, value));
    return [name, isHidden ? maskedText : value] as const;
  });
  return Object.fromEntries(entries);
}

/** The values that a mask hides, as maskBody does. */
function hiddenBy([name, ...rest]: readonly string[], value: unknown): readonly unknown[] {
  if (name === undefined) return [value];
  if (typeof value === 'string') return holdsJson(value) ? [value] : [];
  if (Array.isArray(value) && !isIndex(name)) return value.flatMap((item) => hiddenBy([name, ...rest], item));
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
  return hiddenBy(rest, Reflect.get(value, name));
}

/** Whether a value or a part of it is this text, written as an event has it. */
function contains(value: unknown, text: string): boolean {
  // The event may have digits that the number has lost.
  if (typeof value === 'number') return Number(text) === value;
  if (typeof value !== 'object' || value === null) return String(value) === text;
  return Object.values(value).some((member) => contains(member, text));
}
