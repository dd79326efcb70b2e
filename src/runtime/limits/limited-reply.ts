import type { LimitConfig } from '../../config/model.ts';
import { type ProblemReply, problem } from '../../contract/index.ts';
import type { LiveLimit } from './live-limit.ts';

/**
 * The answer to a request for which a limit has no room. Its fields are those of draft-ietf-httpapi-ratelimit-headers: the
 * policy and the window in seconds, what remains, and when there will be more.
 */
export function limitedReply({ name, config, ruleAt }: LiveLimit, retryAt: number, now: number): ProblemReply {
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1000));
  const rule = ruleAt(now);
  const windowMs = rule.kind === 'calendar' ? rule.endsAt - rule.startsAt : rule.periodMs;
  const quota = config.unit === 'cost' ? '' : `;q=${config.amount}`;
  const headers = {
    'retry-after': String(seconds),
    'ratelimit-policy': `"${quoted(name)}"${quota};w=${Math.ceil(windowMs / 1000)}`,
    ratelimit: `"${quoted(name)}";r=0;t=${seconds}`,
  };
  return problem('rate_limited', { limit: name, detail: `${reached[config.unit]}: ${name}.` }, headers);
}

const reached: Readonly<Record<LimitConfig['unit'], string>> = {
  requests: 'The limit of requests is reached',
  runs: 'The limit of runs is reached',
  tokens: 'The budget of tokens is used up',
  cost: 'The budget is used up',
};

/** A string of a structured field (RFC 9651 §3.3.3). */
function quoted(name: string): string {
  return name.replace(/["\\]/g, '\\$&');
}
