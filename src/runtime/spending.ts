import { LRUCache } from 'lru-cache';
import type { PluginLog, RunUsage } from '../contract/index.ts';
import { tokensOf } from '../engine/limits/ledger.ts';
import type { RunCost } from '../engine/types/index.ts';
import type { Prices } from './prices.ts';

/** Bounds the memory: over months of reloads, totals of triggers that no longer have runs are evicted. */
const mostTotals = 10_000;
/** How many models are warned of in the life of the process: agents may report any names. */
const mostWarnings = 1000;

/** The run that is charged, as logs and metrics name it. */
export interface ChargedRun {
  readonly requestId?: string | undefined;
  readonly id: string;
  readonly project: string;
  readonly trigger: string;
}

/** What the runs of a trigger have used since the start. */
export interface SpendingTotal {
  readonly project: string;
  readonly trigger: string;
  readonly input: number;
  readonly output: number;
  /** Part of `input`. */
  readonly cached: number;
  /** Part of `output`. */
  readonly reasoning: number;
  /** In billionths of each currency. */
  readonly nanos: ReadonlyMap<string, number>;
}

/** What attempts have used and cost: prices them, adds them up by trigger, and warns of models without a price. */
export class Spending {
  readonly #totals = new LRUCache<string, SpendingTotal>({ max: mostTotals });
  readonly #warned = new Set<string>();
  readonly #log: PluginLog;

  constructor(log: PluginLog) {
    this.#log = log;
  }

  /** Returns the cost of an attempt, under the prices of its snapshot; undefined if there are none. */
  costOf(run: ChargedRun, usage: RunUsage, prices: Prices | undefined): RunCost | undefined {
    if (prices === undefined) return undefined;
    const { cost, isKnown } = prices.costOf(usage);
    if (!isKnown && tokensOf(usage) > 0) this.#warn(run, usage.model);
    return cost;
  }

  /** Counts an attempt that has ended. */
  count({ project, trigger }: ChargedRun, usage: RunUsage, cost: RunCost | undefined): void {
    const key = `${project}/${trigger}`;
    const before = this.#totals.get(key);
    const { inputTokens, outputTokens, cachedTokens = 0, reasoningTokens = 0 } = usage;
    this.#totals.set(key, {
      project,
      trigger,
      input: (before?.input ?? 0) + inputTokens,
      output: (before?.output ?? 0) + outputTokens,
      cached: (before?.cached ?? 0) + cachedTokens,
      reasoning: (before?.reasoning ?? 0) + reasoningTokens,
      nanos: withCost(before?.nanos, cost),
    });
  }

  totals(): Iterable<SpendingTotal> {
    return this.#totals.values();
  }

  /** Once for each model; for tokens without a model, once for each trigger. */
  #warn({ id, requestId, project, trigger }: ChargedRun, model: string | undefined): void {
    const name = model === undefined ? `trigger ${project}/${trigger}` : `model ${model}`;
    if (this.#warned.has(name) || this.#warned.size === mostWarnings) return;
    this.#warned.add(name);
    const fields = { ...(model !== undefined && { model }), project, trigger, runId: id, requestId };
    const what = model === undefined ? 'an agent reports tokens without a model' : 'a model has no price';
    this.#log.warn(fields, `${what}; the default price is counted`);
  }
}

function withCost(
  before: ReadonlyMap<string, number> | undefined,
  cost: RunCost | undefined,
): ReadonlyMap<string, number> {
  if (cost === undefined) return before ?? none;
  return new Map([...(before ?? []), [cost.currency, (before?.get(cost.currency) ?? 0) + cost.nanos]]);
}

const none: ReadonlyMap<string, number> = new Map();
