import type { Config, LimitConfig } from '../../config/model.ts';
import type { JsonObject, MaybePromise } from '../../contract/index.ts';
import { usageOf } from '../../engine/limits/rule.ts';
import type { LimitCounter } from '../../engine/types/index.ts';
import { liveLimit } from './live-limit.ts';

/** Where counters are kept: of requests in a process, of everything else in the engine. */
export interface CounterSource {
  limitCounters(limit: string, most: number): MaybePromise<readonly LimitCounter[]>;
  resetLimit(limit: string, value: string | undefined): MaybePromise<number>;
}

/** Which limits an operator asks for. */
export interface LimitFilter {
  /** Its id or name. */
  readonly limit?: string | undefined;
  /** Of how many values the counters are shown, those that have used most first. */
  readonly values?: string | undefined;
}

export type ListedLimits =
  | { readonly ok: true; readonly limits: readonly JsonObject[] }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly kind: 'invalid'; readonly message: string }
  | { readonly ok: false; readonly kind: 'not_found' };

export type ResetLimit =
  | { readonly kind: 'reset'; readonly limit: string; readonly counters: number }
  | { readonly kind: 'not_found' }
  /** Several limits have this name: their ids. */
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] };

const defaultValues = 20;
const mostValues = 1000;

/** What operators see of limits, and do with them. */
export class LimitOperations {
  readonly #engine: CounterSource;
  readonly #requests: CounterSource | undefined;
  readonly #config: () => Config;

  /** @param requests undefined: no gateway runs, which alone counts requests */
  constructor(engine: CounterSource, requests: CounterSource | undefined, config: () => Config) {
    this.#engine = engine;
    this.#requests = requests;
    this.#config = config;
  }

  /** What each limit has used and has left, by whom, and when it is as if nothing had been counted. */
  async list({ limit, values = String(defaultValues) }: LimitFilter): Promise<ListedLimits> {
    const most = /^\d{1,4}$/.test(values) ? Number(values) : 0;
    if (most < 1 || most > mostValues) {
      return { ok: false, kind: 'invalid', message: `values must be a number from 1 to ${mostValues}` };
    }
    const found = limitsOf(this.#config()).filter((one) => limit === undefined || isNamed(one, limit));
    if (limit !== undefined && found.length === 0) return { ok: false, kind: 'not_found' };
    const now = Date.now();
    return { ok: true, limits: await Promise.all(found.map((one) => this.#describe(one, most, now))) };
  }

  /** Forgets what a limit has counted, for one value of `per` or all of them. */
  async reset(limit: string, value: string | undefined): Promise<ResetLimit> {
    const found = limitsOf(this.#config()).filter((one) => isNamed(one, limit));
    const [first, ...others] = found;
    if (first === undefined) return { kind: 'not_found' };
    if (others.length > 0) return { kind: 'ambiguous', ids: found.map(({ id }) => id) };
    const counters = (await this.#sourceOf(first)?.resetLimit(first.id, value)) ?? 0;
    return { kind: 'reset', limit: first.id, counters };
  }

  #sourceOf({ unit }: LimitConfig): CounterSource | undefined {
    return unit === 'requests' ? this.#requests : this.#engine;
  }

  async #describe(config: LimitConfig, most: number, now: number): Promise<JsonObject> {
    const { id, name, level, unit, per, isShadow } = config;
    const rule = liveLimit(config, undefined).ruleAt(now);
    // One more shows that there are more.
    const counters = (await this.#sourceOf(config)?.limitCounters(id, most + 1)) ?? [];
    const amountOf = (amount: number) => (unit === 'cost' ? amount / 1e9 : amount);
    return {
      id,
      name,
      level,
      unit,
      per: per === undefined ? null : per.kind === 'expression' ? per.expression : per.kind,
      mode: isShadow ? 'shadow' : 'enforce',
      limit: amountOf(rule.amount),
      counters: counters.slice(0, most).map((counter) => {
        const { used, reserved, left, resetsAt } = usageOf(counter, rule, now);
        return {
          value: counter.value,
          used: amountOf(used),
          reserved: amountOf(reserved),
          left: amountOf(left),
          resetsAt: new Date(resetsAt).toISOString(),
        };
      }),
      hasMore: counters.length > most,
    };
  }
}

function isNamed({ id, name }: LimitConfig, text: string): boolean {
  return id === text || name === text;
}

/** All limits of a config, in the order: gateway, projects, triggers, keys. */
export function limitsOf({ limits, projects, triggers, apiKeys }: Config): readonly LimitConfig[] {
  return [...limits, ...[...projects, ...triggers, ...apiKeys].flatMap((owner) => owner.limits)];
}
