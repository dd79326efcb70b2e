import type { PluginLog } from '../../contract/index.ts';
import type { LiveTrigger } from '../snapshot.ts';

/** What of a flood is recorded: `burst` at once, then `perSecond`. */
interface Quota {
  readonly burst: number;
  readonly perSecond: number;
}

/** Requests that limits refuse come in floods, and are all alike; what a wrong filter has dropped may be fired again. */
const quotas = {
  limited: { burst: 100, perSecond: 1 },
  other: { burst: 1000, perSecond: 10 },
} as const satisfies Record<string, Quota>;

export type QuotaKind = keyof typeof quotas;

/** How often a flood is logged for each trigger, in milliseconds. */
const logEveryMs = 60_000;

interface Bucket {
  left: number;
  at: number;
  loggedAt: number;
}

/** Bounds how many requests are recorded for their outcome, for each trigger apart. */
export class OutcomeQuota {
  /** How many were left out. */
  leftOut = 0;
  readonly #log: PluginLog;
  /** A reload makes new triggers, which start with full buckets. */
  readonly #buckets = new WeakMap<LiveTrigger, Partial<Record<QuotaKind, Bucket>>>();

  constructor(log: PluginLog) {
    this.#log = log;
  }

  /** @param now milliseconds since the epoch */
  take(trigger: LiveTrigger, kind: QuotaKind, now: number): boolean {
    const { burst, perSecond } = quotas[kind];
    const buckets = this.#buckets.get(trigger) ?? {};
    const bucket = buckets[kind] ?? { left: burst, at: now, loggedAt: -Infinity };
    if (buckets[kind] === undefined) {
      buckets[kind] = bucket;
      this.#buckets.set(trigger, buckets);
    }
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return true;
    }
    this.leftOut += 1;
    if (now - bucket.loggedAt >= logEveryMs) {
      bucket.loggedAt = now;
      const of = { project: trigger.project.id, trigger: trigger.key, verdict: kind === 'limited' ? kind : undefined };
      this.#log.warn({ ...of, burst, perSecond }, 'more requests are refused than are recorded; some are left out');
    }
    return false;
  }
}
