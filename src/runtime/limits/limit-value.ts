import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { LimitPer } from '../../config/model.ts';
import type { Exchange } from '../../contract/index.ts';
import type { NewRun } from '../../engine/types/index.ts';
import type { LimitExpression, LimitSubject } from '../../host/limit-expression.ts';

/** Of what request a value is asked. */
export interface LimitedRequest {
  readonly trigger: { readonly id: string; readonly project: { readonly id: string } };
  readonly caller: { readonly id: string };
  readonly ip: string;
  /** What identifies the session of the run; undefined: none. */
  readonly conversation: string | undefined;
  /** What expressions read. */
  readonly subject: () => LimitSubject;
}

/** The request of a run, as limits and flow control see it. */
export function limitedRequest(
  trigger: LimitedRequest['trigger'],
  exchange: Exchange,
  { conversation }: Pick<NewRun, 'conversation'>,
): LimitedRequest {
  const { caller, ip } = exchange;
  return { trigger, caller, ip, conversation, subject: () => exchange };
}

export type FoundLimitValue =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string };

/** What counts or limits apart: `per`, and what finds its value if it is an expression. */
export interface LivePer {
  readonly config: { readonly per: LimitPer | undefined };
  readonly expression: LimitExpression | undefined;
}

/** The value of `per`, which is counted or limited apart. Throws a WorkExhausted. */
export function limitValue({ config, expression }: LivePer, request: LimitedRequest): FoundLimitValue {
  const { per } = config;
  if (expression !== undefined) return expression(request.subject());
  return { ok: true, value: per === undefined ? '' : builtInValue(per.kind, request) };
}

function builtInValue(kind: string, { trigger, caller, ip, conversation }: LimitedRequest): string {
  switch (kind) {
    case 'key':
      return caller.id;
    case 'ip':
      return addressGroup(ip);
    case 'session':
      // Runs of one caller without a session are counted together.
      return conversation ?? caller.id;
    case 'trigger':
      return trigger.id;
    case 'project':
      return trigger.project.id;
    default:
      throw new Error(`a limit counts per ${kind}, which nothing finds`);
  }
}

/** The bits of an IPv6 address that are the same for one customer of a provider (RFC 6177). */
const prefixBits = 64;

/** An IPv4 address, or the /64 of an IPv6 one: a client that has one address of it has all of them. */
function addressGroup(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const parsed = ipaddr.parse(ip);
  if (!(parsed instanceof ipaddr.IPv6)) return ip;
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const kept = parsed.parts.map((part, index) => (index < prefixBits / 16 ? part : 0));
  return `${new ipaddr.IPv6(kept).toString()}/${prefixBits}`;
}
