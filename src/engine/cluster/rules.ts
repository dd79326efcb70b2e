import { laneOf } from '../execution/run-slot.ts';
import type { Executor, TriggerName } from '../types/index.ts';
import type { LaneRule } from './shared-store.ts';

/** What this node says of the triggers that the store has asked for, of the revision that it serves. */
export class Rules {
  readonly #executor: Executor;
  readonly #known = new Map<string, LaneRule>();
  #revision: string;

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#revision = this.#current();
  }

  get revision(): string {
    return this.#revision;
  }

  /** The rules of triggers that the store does not know in this revision. */
  of(names: readonly TriggerName[]): readonly LaneRule[] {
    return names.map((name) => this.#rule(name));
  }

  /** What the executor says may have changed: the rules that have. Those of a new revision are asked for again. */
  changed(): readonly LaneRule[] {
    const revision = this.#current();
    if (revision !== this.#revision) {
      this.#revision = revision;
      this.#known.clear();
      return [];
    }
    return [...this.#known.values()].flatMap((before) => {
      const after = this.#rule(before);
      return isSame(before, after) ? [] : [after];
    });
  }

  #current(): string {
    return this.#executor.describe?.().revision ?? '';
  }

  #rule({ project, trigger }: TriggerName): LaneRule {
    const concurrency = this.#executor.concurrencyOf?.(project, trigger);
    const rule: LaneRule = {
      project,
      trigger,
      isServed: this.#executor.serves?.(project, trigger) ?? true,
      limit: concurrency?.limit,
      isPerValue: concurrency?.isPerValue ?? false,
    };
    this.#known.set(laneOf(rule), rule);
    return rule;
  }
}

function isSame(one: LaneRule, other: LaneRule): boolean {
  return one.isServed === other.isServed && one.limit === other.limit && one.isPerValue === other.isPerValue;
}
