import fc from 'fast-check';
import { TaskAnswer } from '../plugins/run/a2a/task-answer.ts';
import { parseYaml } from '../src/config/yaml/parse.ts';
import { compileFilter } from '../src/filter/index.ts';
import { linearCostOf } from '../src/filter/linear.ts';
import { compileSchema } from '../src/schema/validator.ts';
import { doublingFilters, hostileFilters, multiplyingFilters, nestedFilters } from '../test/support/hostile-filters.ts';
import { hostileYaml } from '../test/support/hostile-yaml.ts';
import { regularExpressions } from '../test/support/regular-expressions.ts';
import { scriptOptions } from '../test/support/script-options.ts';
import { hostileAnswers } from './hostile-answers.ts';

interface Input {
  readonly name: string;
  readonly run: () => unknown;
}

interface Kind {
  readonly name: string;
  /** The ratio that no input should exceed. */
  readonly goal: number;
  readonly harmless: Input;
  readonly hostile: readonly Input[];
}

const help = `node bench/hostile.ts [OPTIONS]

Measures how long inputs take that are made to hurt, as multiples of what harmless ones take in the same process. Prints the
worst of each kind. Exits 1 if a ratio exceeds its goal.

  --all    prints each input
  --json   prints the rows as JSON`;

const options = scriptOptions(help, {
  json: { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
});

const rounds = 5;

const kinds: readonly Kind[] = [
  {
    name: 'evaluation of a filter',
    goal: 10,
    // Spends all steps that an evaluation has on adding numbers.
    harmless: evaluation({ expression: '$sum([1..9000].($sum([1..9000])))', input: {} }),
    hostile: [...hostileFilters, ...multiplyingFilters].map(evaluation),
  },
  {
    name: 'compilation of a filter',
    goal: 8,
    harmless: compilation(Array.from({ length: 400 }, (_, index) => `a = ${index}`).join(' and ')),
    hostile: [...doublingFilters, ...nestedFilters.map((nest) => nest(400))].map(compilation),
  },
  {
    name: 'parsing of YAML',
    goal: 8,
    harmless: parsing('as many lines as there may be', Array.from({ length: 2000 }, () => '- a: 1\n').join('')),
    hostile: hostileYaml.map(([name, text]) => parsing(name, text)),
  },
  { name: 'validation of options', goal: 25, ...validations() },
  { name: 'native search of a text', goal: 48, ...searches() },
  { name: 'deltas of an artifact', goal: 3, ...deltas() },
];

const rows = kinds.map(measured);
if (rows.some(({ goal, inputs }) => inputs.some(({ ratio }) => ratio > goal))) process.exitCode = 1;
const answers = await hostileAnswers();
if (options.json) {
  process.stdout.write(`${JSON.stringify({ rows, answers })}\n`);
} else {
  for (const { name, goal, harmlessMs, inputs } of rows) {
    const worst = inputs.slice(0, options.all ? inputs.length : 1);
    console.log(`${name}: harmless ${harmlessMs.toFixed(2)} ms, goal at most ${goal} times that`);
    for (const { ratio, ms, name: input } of worst) {
      console.log(`${ratio.toFixed(2).padStart(8)} × ${ms.toFixed(1).padStart(8)} ms  ${input.slice(0, 80)}`);
    }
  }
  console.log('hostile requests, and harmless ones beside them (goals 300 ms and 150 ms)');
  console.table(answers);
}

/** The shortest times of all inputs, the worst first. All take turns, so that what slows the machine slows all. */
function measured({ name, goal, harmless, hostile }: Kind) {
  const shortest = new Map<Input, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (const input of [harmless, ...hostile]) {
      const startedAt = performance.now();
      input.run();
      shortest.set(input, Math.min(shortest.get(input) ?? Infinity, performance.now() - startedAt));
    }
  }
  const msOf = (input: Input) => shortest.get(input) ?? Number.NaN;
  const inputs = hostile
    .map((input) => ({ name: input.name, ms: msOf(input), ratio: msOf(input) / msOf(harmless) }))
    .sort((a, b) => b.ms - a.ms);
  return { name, goal, harmlessMs: msOf(harmless), inputs };
}

/** Errors are how most of them end. */
function attempt(run: () => unknown): () => void {
  return () => {
    try {
      run();
    } catch {
      // The tests check which.
    }
  };
}

function evaluation({ expression, input }: { readonly expression: string; readonly input: unknown }): Input {
  const filter = compileFilter(expression);
  return { name: expression, run: attempt(() => filter.evaluate(input)) };
}

function compilation(source: string): Input {
  return {
    name: source,
    run: attempt(() => {
      const filter = compileFilter(source);
      filter.conditions;
      filter.vocabulary;
      void filter.close();
    }),
  };
}

function parsing(name: string, text: string): Input {
  const bytes = Buffer.from(text);
  return { name, run: () => parseYaml(bytes) };
}

function validations(): Pick<Kind, 'harmless' | 'hostile'> {
  const closed = { type: 'object', additionalProperties: false, properties: {} };
  const items = { anyOf: [{ type: 'string' }, closed] };
  const schema = compileSchema({ ...closed, properties: { list: { type: 'array', items } } });
  const list = (item: unknown) => Array.from({ length: 20_000 }, () => item);
  const members = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`member${index}`, index]));
  return {
    harmless: { name: 'right items', run: () => schema.validate({ list: list('a') }) },
    hostile: [{ name: 'wrong items and members', run: () => schema.validate({ ...members, list: list(1) }) }],
  };
}

/** Regular expressions that are left to V8, since they are linear. */
function searches(): Pick<Kind, 'harmless' | 'hostile'> {
  const trusted = fc
    .sample(regularExpressions, { numRuns: 300, seed: 1 })
    .filter((regexp) => linearCostOf(regexp) !== undefined);
  const text = (unit: string) => `${unit.repeat(30_000)}!`;
  const search = (regexp: RegExp, unit: string): Input => {
    const searched = text(unit);
    return { name: `${regexp} on ${unit}…`, run: () => regexp.test(searched) };
  };
  return {
    // Looks at each character, since it finds none.
    harmless: search(/[^a-c]b/, 'ab'),
    hostile: trusted.flatMap((regexp) => ['a', 'b', 'ab', '1', 'aA', 'a1b'].map((unit) => search(regexp, unit))),
  };
}

/** An artifact that its agent calls complete each time: twice as many updates should take twice as long. */
function deltas(): Pick<Kind, 'harmless' | 'hostile'> {
  const update = () => {
    const artifact = { artifactId: 'a', parts: [{ text: 'x' }] };
    return { taskId: 't', contextId: 'c', artifact, append: true, lastChunk: true };
  };
  const updates = (count: number): Input => ({
    name: `${count} updates`,
    run() {
      const answer = new TaskAnswer();
      for (let index = 0; index < count; index += 1) {
        answer.apply({ kind: 'artifactUpdate', value: update() });
        answer.takeDelta();
      }
    },
  });
  return { harmless: updates(10_000), hostile: [updates(20_000)] };
}
