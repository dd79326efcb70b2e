import type { ExplainedCondition } from '../contract/index.ts';
import type { Place } from '../diagnostics/problem.ts';
import type { ExplainedStage } from './explain.ts';
import { describeOutcome, type RehearsedOutcome } from './rehearsal.ts';
import { oneLine } from './words.ts';

/** The stages as a tree of lines. */
export function formatStages(
  stages: readonly ExplainedStage[],
  outcome: RehearsedOutcome,
  lineOf: (place: Place) => string,
): string {
  const marks = { passed: '✓', stopped: '✗', skipped: '·' } as const;
  const lines = stages.flatMap(({ stage, use, place, result, words, conditions }, index) => {
    const isLast = index === stages.length - 1;
    const at = place === undefined || result === 'skipped' ? '' : `  ${lineOf(place)}`;
    return [
      `${isLast ? '└─' : '├─'} ${marks[result]} ${stage.padEnd(7)} ${use}: ${words}${at}`,
      ...conditions.flatMap((condition) =>
        conditionLines(condition).map((line) => `${isLast ? '  ' : '│ '}    ${line}`),
      ),
    ];
  });
  return [describeOutcome(outcome), ...lines].join('\n');
}

function conditionLines({ source, passes, operator, parts = [], value, error }: ExplainedCondition): string[] {
  const isPlain = parts.length === 0 && typeof value !== 'boolean';
  const came = error !== undefined ? `  failed: ${error}` : isPlain ? `  is ${shown(value)}` : '';
  const head = `${passes ? '✓' : '✗'} ${joined(source)}${came}`;
  const sides = parts
    .filter((part) => part.error !== undefined || !isLiteral(part.source, part.value))
    .map(
      (part) =>
        `    ${joined(part.source)} ${part.error === undefined ? `is ${shown(part.value)}` : `failed: ${part.error}`}`,
    );
  return operator === undefined && parts.length === 0 ? [head] : [head, ...sides];
}

/** A literal is its own value: showing it twice does not help. */
function isLiteral(source: string, value: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(source)) === JSON.stringify(value);
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

const longest = 200;

/** Puts text of several lines on one. */
function joined(text: string): string {
  return oneLine(text).replace(/\s+/g, ' ').trim();
}
