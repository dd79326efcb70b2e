import type { Config, LimitConfig } from '../../config/model.ts';
import type { JsonObject, MaybePromise } from '../../contract/index.ts';
import { usageOf } from '../../engine/limits/rule.ts';
import type { LimitCounter } from '../../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from '../audit/audit-trail.ts';
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
/** How many counters the audit trail adds up, and the longest value that it names. */
const mostAudited = 10_000;
const longestValue = 200;

/** What operators see of limits, and do with them. */
export class LimitOperations {
  readonly #engine: CounterSource;
  readonly #requests: CounterSource | undefined;
  readonly #config: () => Config;
  readonly #trail: AuditTrail;

  /** @param requests undefined: no gateway runs, which alone counts requests */
  constructor(engine: CounterSource, requests: CounterSource | undefined, config: () => Config, trail: AuditTrail) {
    this.#engine = engine;
    this.#requests = requests;
    this.#config = config;
    this.#trail = trail;
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
  async reset(limit: string, value: string | undefined, actor: Actor): Promise<ResetLimit> {
    const found = limitsOf(this.#config()).filter((one) => isNamed(one, limit));
    const [first, ...others] = found;
    const isOne = first !== undefined && others.length === 0;
    const action = {
      ...{ action: 'limits.reset', target: isOne ? first.id : limit },
      before: isOne ? await this.#counted(first, value) : undefined,
    };
    const reset = async (): Promise<ResetLimit> => {
      if (first === undefined) return { kind: 'not_found' };
      if (!isOne) return { kind: 'ambiguous', ids: found.map(({ id }) => id) };
      const counters = (await this.#sourceOf(first)?.resetLimit(first.id, value)) ?? 0;
      return { kind: 'reset', limit: first.id, counters };
    };
    return this.#trail.perform(actor, action, reset, endOfReset);
  }

  /** What a limit has counted, for the audit trail: of a value that is named, else of all together. */
  async #counted(config: LimitConfig, value: string | undefined): Promise<JsonObject> {
    const now = Date.now();
    const rule = liveLimit(config, undefined).ruleAt(now);
    const counters = (await this.#sourceOf(config)?.limitCounters(config.id, mostAudited)) ?? [];
    const meant = counters.filter((counter) => value === undefined || counter.value === value);
    const amountOf = (amount: number) => (config.unit === 'cost' ? amount / 1e9 : amount);
    const used = meant.reduce((sum, counter) => sum + usageOf(counter, rule, now).used, 0);
    return {
      ...(value !== undefined && { value: value.slice(0, longestValue) }),
      ...{ counters: meant.length, unit: config.unit, used: amountOf(used) },
    };
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

function endOfReset(reset: ResetLimit): AuditedEnd {
  return reset.kind === 'reset'
    ? { outcome: 'succeeded', after: { counters: reset.counters } }
    : { outcome: 'failed', reason: reset.kind };
}

function isNamed({ id, name }: LimitConfig, text: string): boolean {
  return id === text || name === text;
}

/** All limits of a config, in the order: gateway, projects, triggers, keys. */
export function limitsOf({ limits, projects, triggers, apiKeys }: Config): readonly LimitConfig[] {
  return [...limits, ...[...projects, ...triggers, ...apiKeys].flatMap((owner) => owner.limits)];
}
