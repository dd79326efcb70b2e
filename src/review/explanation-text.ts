import type { ExplainedCondition, ExplainedPart, JsonValue } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import type { ExplainedStage } from './explain.ts';
import { describeOutcome, type RehearsedOutcome } from './rehearsal.ts';
import { shownValue } from './shown-value.ts';
import { oneLine } from './words.ts';

/** The stages as a tree of lines. */
export function formatStages(
  stages: readonly ExplainedStage[],
  outcome: RehearsedOutcome,
  lineOf: (place: Place) => string,
): string {
  const marks = { passed: '✓', stopped: '✗', skipped: '·' } as const;
  const lines = stages.flatMap(({ stage, use, place, result, words, conditions, placeIn }, index) => {
    const isLast = index === stages.length - 1;
    const at = place === undefined || result === 'skipped' ? '' : `  ${lineOf(place)}`;
    return [
      `${isLast ? '└─' : '├─'} ${marks[result]} ${stage.padEnd(7)} ${use}: ${words}${at}`,
      ...conditions.flatMap((condition) =>
        conditionLines(condition, (offset) =>
          condition.pointer === undefined || placeIn === undefined ? '' : lineOf(placeIn(condition.pointer, offset)),
        ).map((line) => `${isLast ? '  ' : '│ '}    ${line}`),
      ),
    ];
  });
  return [describeOutcome(outcome), ...lines].join('\n');
}

type PlaceOf = (offset: number) => string;

function conditionLines(condition: ExplainedCondition, placeOf: PlaceOf): string[] {
  const { source, passes, operator, parts = [], value, error } = condition;
  const isPlain = operator === undefined && typeof value !== 'boolean';
  const came = error !== undefined ? `  ${failure(condition, placeOf)}` : isPlain ? `  is ${shown(value)}` : '';
  const head = `${passes ? '✓' : '✗'} ${joined(source)}${came}`;
  return [head, ...parts.flatMap((part) => partLines(part, condition, placeOf, '    '))];
}

function partLines(part: ExplainedPart, whole: ExplainedPart, placeOf: PlaceOf, indent: string): string[] {
  const { source, value, error, parts = [] } = part;
  if (error === undefined && isLiteral(source, value)) return [];
  // A part fails with the same error as the whole, which has the words.
  const isSame = error === whole.error && part.errorOffset === whole.errorOffset;
  const failed = isSame ? `failed: ${error}` : failure(part, placeOf);
  const line = `${indent}${joined(source)} ${error === undefined ? `is ${shown(value)}` : failed}`;
  return [line, ...parts.flatMap((inner) => partLines(inner, part, placeOf, `${indent}    `))];
}

function failure({ error, errorMessage, errorOffset }: ExplainedPart, placeOf: PlaceOf): string {
  const words = errorMessage === undefined ? '' : `: ${errorMessage}`;
  const at = errorOffset === undefined ? '' : `  ${placeOf(errorOffset)}`.trimEnd();
  return `failed: ${error}${words}${at}`;
}

/** A literal is its own value: showing it twice does not help. */
function isLiteral(source: string, value: unknown): boolean {
  if (/^'[^']*'$/.test(source)) return true;
  try {
    return JSON.stringify(JSON.parse(source)) === JSON.stringify(value);
  } catch {
    return false;
  }
}

function shown(value: JsonValue | undefined): string {
  return shownValue(value, longest);
}

const longest = 200;

/** Puts text of several lines on one. */
function joined(text: string): string {
  return oneLine(text).replace(/\s+/g, ' ').trim();
}
