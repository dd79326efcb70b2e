import { basicFiles, triggerFile } from './config-folder.ts';
import { patience } from './patience.ts';

export interface HostileRequest {
  readonly expression: string;
  readonly body: object;
  /** What docs/filters.md promises. */
  readonly answer: 'passes' | 'filtered' | 'filter_error';
  /** JSONata's code, which the log and `explain` report. */
  readonly error?: 'D1012' | 'D1013' | 'D2015';
}

const deep = (levels: number): object => {
  let value: object = { leaf: 1 };
  for (let level = 1; level < levels; level += 1) value = { a: value, b: level };
  return value;
};
/** An expression that is isolated. */
export const countdown = (condition: string) => `($f := function($n){ $n = 0 ? ${condition} : $f($n - 1) }; $f(3))`;

/** Requests that are made to hurt the filter of their trigger, by what they are. */
export const hostileRequests: Readonly<Record<string, HostileRequest>> = {
  'a regular expression that backtracks': {
    expression: '$contains(x, /^(a+)+$/)',
    body: { x: `${'a'.repeat(28)}b` },
    answer: 'filtered',
  },
  'a date whose picture backtracks': {
    expression: '$toMillis(x, "[f1][f1][f1][f1]Z") > 0',
    body: { x: '1'.repeat(600) },
    answer: 'filter_error',
    error: 'D1012',
  },
  'many objects to tell apart': {
    expression: '$count($distinct(x)) = 9000',
    body: { x: Array.from({ length: 9000 }, (_, id) => ({ id, of: { id } })) },
    answer: 'passes',
  },
  'a text that doubles': {
    expression: '$length($reduce([1..40], function($text, $i){ $text & $text }, x)) > 0',
    body: { x: 'a'.repeat(1000) },
    answer: 'filter_error',
    error: 'D1012',
  },
  'a text that doubles by recursion': {
    expression: '($f := function($text, $n){ $n = 0 ? $text : $f($text & $text, $n - 1) }; $length($f(x, 40)) > 0)',
    body: { x: 'a'.repeat(1000) },
    answer: 'filter_error',
    error: 'D2015',
  },
  'a width of 100 million': {
    expression: '$length($pad("x", width)) > 0',
    body: { width: 1e8 },
    answer: 'filter_error',
    error: 'D2015',
  },
  'a recursion without an end': {
    expression: '($f := function($x){ $f($x + 1) }; $f(1))',
    body: {},
    answer: 'filter_error',
    error: 'D1012',
  },
  'a body that plays function': {
    expression: '$type(x) = "object"',
    body: { x: { _jsonata_function: true } },
    answer: 'passes',
  },
  'a body that plays function for the reference': {
    expression: countdown('true'),
    body: { x: { _jsonata_function: true } },
    answer: 'filter_error',
    error: 'D1013',
  },
  'descendants of a deep body': {
    expression: '$count(**) > 100',
    body: { x: deep(60) },
    answer: 'passes',
  },
  'descendants of descendants': {
    expression: '$count(**.**.**.**.**) > 0',
    body: { x: Array.from({ length: 50 }, () => deep(60)) },
    answer: 'filter_error',
    error: 'D2015',
  },
};

/** The keys of their triggers. */
export const hostileKeys: ReadonlyMap<string, string> = new Map(
  Object.keys(hostileRequests).map((name, index) => [name, `hostile-${index}`]),
);

const ample = `${patience(30_000)}ms`;
const filterOf = (expression: string, timeout: string) => [
  { name: 'hostile', uses: 'jsonata', with: { expression, timeout } },
];

/** A config that serves them, with a trigger for harmless requests and one whose filter is isolated. */
export function hostileConfig(): Record<string, string> {
  const triggers = Object.entries(hostileRequests).map(([name, { expression, error }]): [string, string] => {
    const key = hostileKeys.get(name) ?? '';
    // The ones that are quick have time enough on any machine.
    const timeout = error === 'D1012' ? '250ms' : ample;
    return [`triggers/${key}.yaml`, triggerFile(key, { filter: filterOf(expression, timeout) })];
  });
  const harmless = { filter: 'plan in ["pro", "enterprise"]' };
  const isolated = { filter: filterOf(countdown('plan = "pro"'), ample) };
  return {
    ...basicFiles(),
    ...Object.fromEntries(triggers),
    'triggers/harmless.yaml': triggerFile('harmless', harmless),
    'triggers/isolated.yaml': triggerFile('isolated', isolated),
  };
}
