/**
 * Searches for the evaluation that does the most work per unit that it pays, by random expressions of the conformance
 * tests on hostile bodies: each find is varied, and kept if the next is worse. `node test/fuzz/filter-work.ts`
 * `[--seconds 60] [--seed N]` measures time, prints the worst, and keeps them in `filter-work-corpus.json`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { compileFilter, EvaluationError, ExpressionError, toPlain, WorkBudget } from '../../src/filter/index.ts';
import { SeededRandom } from '../../src/filter/random.ts';
import { expressions } from '../filter/conformance/random-expressions.ts';
import { counted, countWork } from '../support/counted-work.ts';
import { hostileBodies, workExpressions } from '../support/work-cases.ts';

/** An evaluation by the name of its body, so that it can be repeated. */
export interface Find {
  readonly expression: string;
  readonly body: string;
  /** Work per unit: counted, or in nanoseconds. */
  readonly work: number;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly steps: number;
  readonly log: (line: string) => void;
  /** Measures by time, for a person to read; otherwise by counting, which is always the same. */
  readonly measures?: 'count' | 'time';
  /** Called after each step; false ends the search. */
  readonly goesOn?: () => boolean;
}

/** Counting takes long; by time, listing the names of one object must not be most of the work. */
const limits = { count: 20_000, time: 500_000 };
/** Of fewer units, fixed costs and the clock decide the time. */
const least = 5_000;
/** The length of an expression that a person still reads. */
const longest = 300;
/** How many finds are kept and varied. */
const kept = 20;
const corpus = join(import.meta.dirname, 'filter-work-corpus.json');
/** The names that random expressions read, as members of the bodies. */
const aliases = { a: 'a', b: 'o', c: 's', d: 't' } as const;

const bodies = Object.entries(hostileBodies).map(([name, body]) => {
  const { a, o, s, t, n } = body;
  return [name, { a, o, s, t, n, b: body[aliases.b], c: body[aliases.c], d: body[aliases.d] }] as const;
});

/** Returns the finds, the worst first. Throws if an evaluation ends in another way than by a result or an EvaluationError. */
export async function fuzzFilterWork({
  seed,
  steps,
  log,
  measures = 'count',
  goesOn = () => true,
}: FuzzOptions): Promise<Find[]> {
  const random = new SeededRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.next() * items.length)] as Item;
  const generated = fc.sample(expressions, { numRuns: Math.min(steps, 5000), seed });
  const known = workExpressions.flatMap((each) => each.expressions);
  const worst: Find[] = [];
  for (const { expression, body } of recorded()) keep(worst, await tried(expression, body, measures));
  for (let step = 0; step < steps && goesOn(); step += 1) {
    const parent = worst.length > 0 && random.next() < 0.5 ? pick(worst) : undefined;
    const expression =
      parent === undefined
        ? pick(random.next() < 0.7 ? generated : known)
        : varied(parent.expression, pick(generated), pick);
    const body = parent === undefined || random.next() < 0.3 ? pick(bodies)[0] : parent.body;
    const found = await tried(expression, body, measures);
    if (keep(worst, found) && found === worst[0]) log(`${found.work.toFixed(2)} per unit: ${expression} on ${body}`);
  }
  return worst;
}

function recorded(): readonly Find[] {
  return JSON.parse(readFileSync(corpus, 'utf8'));
}

/** Combines an expression with another, or repeats it for many items. */
function varied(expression: string, other: string, pick: <Item>(items: readonly Item[]) => Item): string {
  return pick([
    () => `a.(${expression})`,
    () => `[1..50].(${expression})`,
    () => `$map(a, function($v){ ${expression} })`,
    () => `(${expression}) & (${other})`,
    () => `(${expression})[${other}]`,
    () => `[${expression}, ${other}]`,
    () => `$string(${expression})`,
    () => `$distinct(${expression})`,
    () => `$append(${expression}, ${other})`,
    () => expression.replace(/\b[abcd]\b/, pick(['a', 'b', 'c', 'd', '*', '**', '$$.a'])),
    () => expression.replace(/\d+/, pick(['0', '1', '7', '100', '1000'])),
    () => expression.replace(/\$\w+\(/, pick(['$string(', '$count(', '$reverse(', '$keys(', '$spread(', '$distinct('])),
  ])();
}

/** Undefined for what does not parse or compile, and for what is too little to measure. */
async function tried(expression: string, name: string, measures: 'count' | 'time'): Promise<Find | undefined> {
  const body = bodies.find(([each]) => each === name)?.[1];
  const filter = expression.length > longest ? undefined : await compiled(expression);
  if (filter === undefined || body === undefined) return undefined;
  let budget = new WorkBudget(limits[measures]);
  const input = measures === 'count' ? counted(body) : body;
  const run = () => {
    budget = new WorkBudget(limits[measures]);
    try {
      return toPlain(filter.evaluate(input, {}, { budget, now: 0, seed: 0 }), budget);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return undefined;
    }
  };
  const work = measures === 'count' ? workCounted(run) : workMeasured(run);
  return budget.spent < least ? undefined : { expression, body: name, work: work / budget.spent };
}

async function compiled(expression: string) {
  try {
    const filter = compileFilter(expression, { limits: { maxSequence: 1_000_000 } });
    if (filter.mode === 'compiled') return filter;
    await filter.close();
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

/** Items, and texts of 64 characters. Names are paid once they are listed, so one listing may exceed the limit. */
function workCounted(run: () => unknown): number {
  const { count, error } = countWork(run);
  if (error !== undefined) throw error;
  return count.items + count.characters / 64;
}

/** The shortest of some runs: the others were disturbed, or not compiled yet. */
function workMeasured(run: () => unknown): number {
  let shortest = Infinity;
  for (let round = 0; round < 4; round += 1) {
    const startedAt = performance.now();
    run();
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  return shortest * 1_000_000;
}

/** Keeps a find among the worst, one for each expression. */
function keep(worst: Find[], found: Find | undefined): found is Find {
  if (found === undefined || worst.some(({ expression }) => expression === found.expression)) return false;
  worst.push(found);
  worst.sort((one, other) => other.work - one.work);
  worst.splice(kept);
  return worst.includes(found);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  });
  const endsAt = performance.now() + Number(values.seconds) * 1000;
  const finds = await fuzzFilterWork({
    seed: Number(values.seed),
    steps: Infinity,
    log: console.log,
    measures: 'time',
    goesOn: () => performance.now() < endsAt,
  });
  console.log(`seed ${values.seed}; nanoseconds per unit:`);
  for (const { expression, body, work } of finds)
    console.log(`${work.toFixed(0).padStart(8)}  ${expression} on ${body}`);
  // Without the measurements, which differ from machine to machine.
  const entries = finds.map(({ expression, body }) => ({ expression, body }));
  writeFileSync(corpus, `${JSON.stringify(entries, undefined, 2)}\n`);
}
