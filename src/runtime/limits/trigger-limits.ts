import type { LimitConfig } from '../../config/model.ts';
import type { LimitExpressions } from '../../host/limit-expression.ts';
import { type LiveLimit, liveLimit } from './live-limit.ts';

/** Limits by when they are charged: at the head of a request, or in the step that accepts its run. */
export interface Limits {
  readonly requests: readonly LiveLimit[];
  readonly runs: readonly LiveLimit[];
}

/** The limits that apply to the requests of a trigger. */
export interface TriggerLimits extends Limits {
  /** In addition, those of the API key that calls, by its id. */
  readonly keys: ReadonlyMap<string, Limits>;
}

/** Those that are charged at one time, for one caller: of the trigger, and of the caller's own key. */
export function limitsFor(limits: TriggerLimits, callerId: string, charged: keyof Limits): readonly LiveLimit[] {
  const ofAll = limits[charged];
  const own = limits.keys.get(callerId)?.[charged];
  return own === undefined || own.length === 0 ? ofAll : [...ofAll, ...own];
}

/** Makes the limits of a snapshot: each once, however many triggers it applies to. */
export class LimitIndex {
  readonly #expressions: LimitExpressions;
  readonly #live = new Map<LimitConfig, LiveLimit>();

  constructor(expressions: LimitExpressions) {
    this.#expressions = expressions;
  }

  of(configs: readonly LimitConfig[]): Limits {
    const all = configs.map((config) => this.#of(config));
    const isOfRequests = ({ config }: LiveLimit) => config.unit === 'requests';
    return { requests: all.filter(isOfRequests), runs: all.filter((limit) => !isOfRequests(limit)) };
  }

  #of(config: LimitConfig): LiveLimit {
    const known = this.#live.get(config) ?? liveLimit(config, this.#expressions.get(config));
    this.#live.set(config, known);
    return known;
  }
}
