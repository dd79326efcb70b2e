import type {
  ConditionExplanation,
  ExplanationDocument,
  PartExplanation,
  StageExplanation,
} from '../../../src/review/explanation.gen.ts';
import { Badge } from './badge.tsx';
import { printable } from './printable.ts';
import './explanation.css';

/** The way of a request through the stages: what each decided, and the conditions of filters with their values. */
export function Explanation({ explanation }: { readonly explanation: ExplanationDocument }) {
  const { verdict, by, code, status, stages } = explanation;
  return (
    <div class="explanation">
      <p role="status">
        <Badge word={verdict} />
        {by !== undefined && (
          <>
            {' '}
            by <bdi>{printable(by)}</bdi>
          </>
        )}
        , status {status}
        {code !== undefined && (
          <>
            {' '}
            <code>{code}</code>
          </>
        )}
      </p>
      <ol>
        {stages.map((stage, index) => (
          <Stage key={`${stage.stage} ${index}`} stage={stage} />
        ))}
      </ol>
    </div>
  );
}

const resultWords = { passed: 'passed', stopped: 'dropped', skipped: 'not reached' } as const;

function Stage({ stage: { stage, use, result, words, conditions, place } }: { readonly stage: StageExplanation }) {
  return (
    <li>
      <h3>
        {stage} <span class="muted">{printable(use)}</span>{' '}
        <Badge
          word={resultWords[result]}
          tone={result === 'passed' ? 'good' : result === 'stopped' ? 'bad' : 'plain'}
        />
      </h3>
      <p>{printable(words)}</p>
      {place !== undefined && <p class="muted mono">{printable(place)}</p>}
      {conditions.length > 0 && (
        <ul class="plain">
          {conditions.map((condition, index) => (
            <Condition key={`${condition.source} ${index}`} condition={condition} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Condition({ condition }: { readonly condition: ConditionExplanation }) {
  const { source, passes, parts = [] } = condition;
  return (
    <li>
      <Badge word={passes ? 'holds' : 'fails'} tone={passes ? 'good' : 'bad'} /> <code>{printable(source)}</code>{' '}
      <Value of={condition} />
      {parts.length > 0 && <Parts parts={parts} />}
    </li>
  );
}

function Parts({ parts }: { readonly parts: readonly PartExplanation[] }) {
  return (
    <ul class="parts">
      {parts.map((part, index) => (
        <li key={`${part.source} ${index}`}>
          <code>{printable(part.source)}</code> <Value of={part} />
          {part.parts !== undefined && part.parts.length > 0 && (
            <Parts parts={part.parts as unknown as readonly PartExplanation[]} />
          )}
        </li>
      ))}
    </ul>
  );
}

/** Longer values are cut: the body shows them whole. */
const longestValue = 300;

function Value({ of }: { readonly of: Omit<PartExplanation, 'parts'> }) {
  const { value, error, errorMessage, errorPlace } = of;
  if (error !== undefined) {
    return (
      <span class="bad">
        {error} {errorMessage} {errorPlace !== undefined && <span class="mono">{printable(errorPlace)}</span>}
      </span>
    );
  }
  if (value === undefined) return <span class="muted">is absent</span>;
  const text = JSON.stringify(value);
  return (
    <span>
      is <bdi class="mono">{printable(text.length > longestValue ? `${text.slice(0, longestValue)} …` : text)}</bdi>
    </span>
  );
}
