/** What a caller says of its place in a trace: the headers `traceparent` and `tracestate`. */
export interface IncomingTrace {
  readonly traceId: string;
  /** The caller's span. */
  readonly spanId: string;
  /** The octet `trace-flags`. */
  readonly flags: number;
  /** The header `tracestate`, if it is valid. */
  readonly state: string | undefined;
}

/** The bit of `trace-flags` that says that the caller exports its spans. */
export const sampledFlag = 1;

export function isSampled(flags: number): boolean {
  return (flags & sampledFlag) === sampledFlag;
}
/** The bits that are passed on: that one, and that the id of the trace is random. Others are reserved. */
const knownFlags = 3;

const format = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const noTrace = '0'.repeat(32);
const noSpan = '0'.repeat(16);

/**
 * Parses the two headers by W3C Trace Context. Undefined without a valid `traceparent`, or with several. An invalid `tracestate` alone
 * is dropped. Of a later version, the part that version 00 has is read.
 */
export function parseTrace(
  traceparent: string | readonly string[] | undefined,
  tracestate: string | readonly string[] | undefined,
): IncomingTrace | undefined {
  if (typeof traceparent !== 'string') return undefined;
  const [, version, traceId, spanId, flags, rest] = format.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || traceId === noTrace || spanId === noSpan) return undefined;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  const state = typeof tracestate === 'string' ? validState(tracestate) : undefined;
  return { traceId, spanId, flags: Number.parseInt(flags ?? '', 16) & knownFlags, state };
}

/** The header `traceparent` of a span, in version 00. */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-0${flags & knownFlags}`;
}

const mostMembers = 32;
const mostCharacters = 512;
/** Longer members go first where the whole is too long. */
const longMember = 128;

const member =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** A list of members, without the empty ones; undefined if it is invalid or has no member. Several headers are one list by now. */
function validState(text: string): string | undefined {
  const members = text
    .split(',')
    .map((one) => one.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((one) => one !== '');
  if (members.length === 0 || members.length > mostMembers || !members.every((one) => member.test(one))) {
    return undefined;
  }
  return members.join(',').length <= mostCharacters ? members.join(',') : shortened(members);
}

/** Whole members are removed: first those that are long, then the last ones, which were changed the longest ago. */
function shortened(members: string[]): string | undefined {
  const kept = [...members];
  const length = (): number => kept.join(',').length;
  for (let index = kept.length - 1; index >= 0 && length() > mostCharacters; index -= 1) {
    if ((kept[index]?.length ?? 0) > longMember) kept.splice(index, 1);
  }
  while (length() > mostCharacters) kept.pop();
  return kept.length === 0 ? undefined : kept.join(',');
}
