import { LRUCache } from 'lru-cache';
import type { Expectation } from './charges.ts';

/** How many of the latest runs of a trigger count about equally. */
const latest = 20;
/** Of how many triggers the runs are remembered. */
const mostTriggers = 100_000;

interface Mean extends Expectation {
  readonly runs: number;
}

/** What runs of a trigger consume: the mean of its latest runs, in this process. */
export class Expectations {
  readonly #means = new LRUCache<string, Mean>({ max: mostTriggers });

  /** @param trigger `project/key` */
  of(trigger: string): Expectation {
    const mean = this.#means.get(trigger);
    return mean === undefined ? unknown : { tokens: Math.ceil(mean.tokens), cost: Math.ceil(mean.cost) };
  }

  /** Notes what a run has consumed that has ended. */
  note(trigger: string, { tokens, cost }: Expectation): void {
    const { runs = 0, ...mean } = this.#means.get(trigger) ?? unknownMean;
    const weight = 1 / Math.min(runs + 1, latest);
    this.#means.set(trigger, {
      runs: runs + 1,
      tokens: mean.tokens + (tokens - mean.tokens) * weight,
      cost: mean.cost + (cost - mean.cost) * weight,
    });
  }
}

const unknown: Expectation = { tokens: 0, cost: 0 };
const unknownMean: Mean = { ...unknown, runs: 0 };
