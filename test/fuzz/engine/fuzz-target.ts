import { attempt } from './attempt.ts';
import { Corpus, codeOf } from './corpus.ts';
import { cpuMs } from './cpu-ms.ts';
import { Dice } from './dice.ts';
import { type Found, foundOf } from './found.ts';
import { minimal } from './minimal.ts';
import { mutate } from './mutate.ts';
import type { OpenTarget, Outcome, Target } from './target.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly steps: number;
  /** Inputs of earlier runs, tried after the target's own. */
  readonly earlier?: Iterable<Uint8Array>;
  /** Inputs in base64 that are not tried, since they end the process. */
  readonly lost?: ReadonlySet<string>;
  /** Called before each step: what follows may end the process. */
  readonly onStep?: (step: number, input: Buffer) => void;
}

export interface FuzzReport {
  readonly steps: number;
  /** Different ones, each with its shortest input that was found. */
  readonly faults: readonly Found[];
  /** Steps by outcome: kind and code. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How many inputs had an outcome of their own. */
  readonly corpus: number;
  /** Those of them that were found, and are worth keeping. */
  readonly found: readonly Buffer[];
  readonly cpuSeconds: number;
  /** For people: which input took the most time of the processor. */
  readonly slowest: { readonly ms: number; readonly input: Buffer };
  /** The largest share of its limit that the work of a step had; undefined if no step counted its work. */
  readonly mostWork: number | undefined;
}

const defaultMaxBytes = 4096;
/** After this number of different faults, the target is broken, and more steps only repeat them. */
const mostFaults = 10;
/** Codes that are counted, so that one with a value in it cannot fill the memory. */
const mostOutcomes = 200;
/** How much longer than the input that it varies a variation is in half of the steps at most, in bytes. */
const usualGrowth = 64;
/** Steps between two turns of the event loop, for messages and signals. */
const stepsPerTurn = 2000;

/** Tries inputs on a target: its seeds, then variations of all that had an outcome of their own. */
export async function fuzzTarget(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const opened = await target.open();
  try {
    return await search(target, opened, options);
  } finally {
    await opened.close?.();
  }
}

async function search(
  target: Target,
  opened: OpenTarget,
  { seed, steps, earlier = [], lost = new Set(), onStep }: FuzzOptions,
): Promise<FuzzReport> {
  const { shape, words = [], maxBytes = defaultMaxBytes } = target;
  const dice = new Dice(seed);
  const corpus = new Corpus();
  const faults = new Map<string, Found>();
  const outcomes: Record<string, number> = {};
  let slowest: FuzzReport['slowest'] = { ms: 0, input: Buffer.alloc(0) };
  let mostWork: number | undefined;
  const wordBytes = words.map((word) => Buffer.from(word, 'latin1'));
  const cpuBefore = cpuMs();
  let count = 0;
  let isGiven = true;
  let codes = 0;

  const note = (input: Buffer, outcome: Outcome): void => {
    corpus.offer(input, outcome, isGiven);
    const { work } = outcome;
    if (work !== undefined) mostWork = Math.max(mostWork ?? 0, work.done / work.limit);
    const code = codeOf(outcome);
    const times = outcomes[code];
    if (times !== undefined) outcomes[code] = times + 1;
    else if (codes < mostOutcomes) {
      outcomes[code] = 1;
      codes += 1;
    }
  };
  /** By the processor's time, and by the shorter of two runs: other processes and the compiler delay steps too. */
  const noteSlow = async (input: Buffer): Promise<void> => {
    const before = cpuMs();
    await attempt(opened, input);
    const ms = cpuMs() - before;
    if (ms > slowest.ms) slowest = { ms, input: Buffer.from(input) };
  };
  const take = async (input: Buffer): Promise<void> => {
    onStep?.(count, input);
    count += 1;
    const startedAt = performance.now();
    try {
      const running = attempt(opened, input);
      // Most targets are synchronous: a turn for each step would take longer than they do.
      note(input, running instanceof Promise ? await running : running);
      if (performance.now() - startedAt > slowest.ms) await noteSlow(input);
    } catch (error) {
      const found = foundOf(error, input);
      if (!faults.has(found.signature)) faults.set(found.signature, await minimal(opened, found));
    }
  };

  for await (const given of inputsOf(target, earlier)) {
    if (count >= steps) break;
    const input = typeof given === 'string' ? Buffer.from(given) : Buffer.from(given);
    if (!lost.has(input.toString('base64'))) await take(input);
  }
  isGiven = false;
  while (count < steps && faults.size < mostFaults) {
    const input = corpus.pick(dice);
    // Large inputs take most of the time, and rarely show more.
    const longest = Math.min(maxBytes, input.length + dice.doublings(usualGrowth, maxBytes));
    const varied = mutate(shape, input, dice, { other: corpus.pick(dice), words: wordBytes, maxBytes: longest });
    await take(varied.length > maxBytes ? varied.subarray(0, maxBytes) : varied);
    if (count % stepsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const cpuSeconds = (cpuMs() - cpuBefore) / 1000;
  const { size, found } = corpus;
  return { steps: count, faults: [...faults.values()], outcomes, corpus: size, found, cpuSeconds, slowest, mostWork };
}

async function* inputsOf(target: Target, earlier: Iterable<Uint8Array>) {
  yield* target.seeds();
  yield* earlier;
}
