import fc from 'fast-check';
import type { JsonValue } from '../../../src/contract/index.ts';
import { compileFilter, compileTemplate, EvaluationError, ExpressionError } from '../../../src/filter/index.ts';
import { createMapping } from '../../../src/run-kit/mapping.ts';
import { bodies, expressions } from '../../filter/conformance/random-expressions.ts';
import { pluginContext } from '../../support/exchange.ts';
import { hostileRequests } from '../../support/hostile-requests.ts';
import { partsOf } from '../engine/mutate.ts';
import { type Outcome, promised, type Target } from '../engine/target.ts';
import { CountedBudget } from './counted-budget.ts';
import { evaluatedWithin } from './filter-work.ts';

const words = [
  ...[
    '$',
    '$$',
    '$$.a',
    'a.b',
    '*',
    '**',
    '%',
    '[0]',
    '[-1]',
    '[]',
    '{',
    '}',
    '(',
    ')',
    ':=',
    '?',
    ':',
    '~>',
    '..',
    '[1..50]',
    '^(a)',
    '@$x',
    '#$i',
  ],
  ...[
    'and ',
    'or ',
    'in ',
    '=',
    '!=',
    '&',
    '"',
    "'",
    '`',
    '/a/',
    '/(a+)+$/',
    '/x/i',
    'function($x){',
    'λ($x){',
    '|a|{}|',
    '/* ',
    ' */',
  ],
  ...[
    '$map(',
    '$filter(',
    '$reduce(',
    '$sort(',
    '$string(',
    '$match(',
    '$replace(',
    '$split(',
    '$pad(',
    '$eval(',
    '$toMillis(',
    '$now()',
  ],
  ...[
    '$append(',
    '$spread(',
    '$merge(',
    '$zip(',
    '$distinct(',
    '$formatNumber(',
    '$fromMillis(',
    '$clone(',
    '$each(',
    '$sift(',
    '$lookup(',
  ],
];

const seed = 20_261_130;

function seeds(): string[] {
  const written = fc.sample(expressions, { numRuns: 150, seed });
  const given = fc.sample(bodies, { numRuns: 150, seed });
  const random = written.map((expression, index) => `${expression}\n\n${JSON.stringify(given[index])}`);
  const hostile = Object.values(hostileRequests).map(
    ({ expression, body }) => `${expression}\n\n${JSON.stringify(body).slice(0, 3000)}`,
  );
  return [...random, ...hostile, '**.**.**\n\n{"a":[[1,2],[3,[4]]]}', 'items.{"a":$,"b":$$}\n\n{"items":[1,2,3]}'];
}

/**
 * An expression, an empty line, and the body that it is evaluated on. What does not compile would be evaluated in a process
 * that can be killed: it is only parsed here.
 */
export const filter: Target = {
  name: 'filter',
  weight: 200,
  shape: 'text and json',
  words,
  seeds,
  open: () => ({
    run(input) {
      const [source, json] = partsOf(input);
      const body = bodyIn(json);
      try {
        const expression = compileFilter(source.toString());
        if (expression.mode === 'isolated') return { kind: 'refused', code: 'isolated' };
        return evaluatedWithin(expression, body);
      } catch (error) {
        return refused(error);
      }
    },
  }),
};

/** A template, an empty line, and the body that it is rendered for. */
export const template: Target = {
  name: 'template',
  weight: 45,
  shape: 'text and json',
  words: ['{{', '}}', '{{ a }}', '{{ $string($) }}', '} }', ...words],
  seeds: () => [
    'Hello {{ a }}, {{ b & "x" }}\n\n{"a":1,"b":[2]}',
    '{{\n\n{}',
    ...seeds().map((each) => `{{ ${each.replace('\n\n', ' }}\n\n')}`),
  ],
  open: () => ({
    run(input) {
      const [source, json] = partsOf(input);
      const body = bodyIn(json);
      const budget = new CountedBudget();
      try {
        const rendered = compileTemplate(source.toString(), { limits: { maxSequence: 1_000_000 }, purpose: 'value' });
        if (isIsolated(source.toString())) return { kind: 'refused', code: 'isolated' };
        const text = rendered.render(body, {}, { budget });
        promised(typeof text === 'string', 'a template renders a text');
        return { kind: 'value', code: 'text', size: text.length, work: budget.work };
      } catch (error) {
        return { ...refused(error), work: budget.work };
      }
    },
  }),
};

/** Whether any expression of a template runs in a process of its own, which would take milliseconds to start. */
function isIsolated(source: string): boolean {
  return [...source.matchAll(/\{\{(.*?)\}\}/gs)].some(
    ([, expression = '']) => compileFilter(expression, { purpose: 'value' }).mode === 'isolated',
  );
}

const run = { id: 'run-1', project: 'support', trigger: 'echo', caller: 'website', sessionId: 's', attempt: 1 };
const runInput = { environment: 'api', language: 'en' };

/** The mapping of a run plugin, an empty line, and the input that it is applied to. */
export const mapping: Target = {
  name: 'mapping',
  weight: 45,
  shape: 'text and json',
  words: ['$run', '$input', '$run.id', ...words],
  seeds,
  open: () => ({
    async run(input) {
      const [bytes, json] = partsOf(input);
      const source = bytes.toString();
      try {
        const { mode } = compileFilter(source, { bindings: ['run', 'input'], purpose: 'value' });
        if (mode === 'isolated') return { kind: 'refused', code: 'isolated' };
      } catch (error) {
        return refused(error);
      }
      const work = new CountedBudget();
      const identity = { ...run, input: runInput, work };
      const mapped = await createMapping(pluginContext, '/request', source).apply(bodyIn(json), identity);
      if (!mapped.ok) return { kind: 'refused', code: mapped.failure.message.replaceAll(/\d+/g, 'N'), work: work.work };
      const text = JSON.stringify(mapped.value) ?? '';
      return { kind: 'value', code: typeof mapped.value, size: text.length, work: work.work };
    },
  }),
};

function bodyIn(json: Buffer): JsonValue {
  try {
    return JSON.parse(json.toString());
  } catch {
    return {};
  }
}

function refused(error: unknown): Outcome {
  if (error instanceof EvaluationError) return { kind: 'refused', code: error.code };
  if (!(error instanceof ExpressionError)) throw error;
  const [problem] = error.problems;
  promised(problem !== undefined && problem.message !== '', 'an expression is refused with a problem');
  return { kind: 'refused', code: problem.message.replaceAll(/["“`/].*["”`/]|\d+/g, 'N').slice(0, 40) };
}
