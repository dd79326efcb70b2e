import { useState } from 'preact/hooks';
import type { ExplanationDocument } from '../../../src/review/explanation.gen.ts';
import { postJson } from '../api/client.ts';
import { Explanation } from './explanation.tsx';
import { Failure } from './feedback.tsx';
import { printable } from './printable.ts';

export interface TryItProps {
  readonly project: string;
  readonly trigger: string;
  /** What the editor begins with. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An editor that explains a body: a dry run, which calls no agent and stores nothing. */
export function TryIt({ project, trigger, body = {}, headers = {} }: TryItProps) {
  const [text, setText] = useState(() => JSON.stringify(body, undefined, 2));
  const [answer, setAnswer] = useState<ExplanationDocument>();
  const [failure, setFailure] = useState<string>();
  const explain = async (edited: string): Promise<void> => {
    setFailure(undefined);
    try {
      const parsed: unknown = JSON.parse(edited);
      setAnswer(await postJson<ExplanationDocument>('/explain', { project, trigger, body: parsed, headers }));
    } catch (error) {
      setAnswer(undefined);
      setFailure(error instanceof SyntaxError ? `This is not JSON: ${error.message}` : String(Object(error).message));
    }
  };
  const apply = (changed: unknown): void => {
    const edited = JSON.stringify(changed, undefined, 2);
    setText(edited);
    void explain(edited);
  };
  return (
    <div class="try-it">
      <label>
        Body, as JSON
        <textarea
          rows={Math.min(text.split('\n').length + 1, 20)}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <button type="button" class="primary" onClick={() => void explain(text)}>
        Explain
      </button>
      {failure !== undefined && <Failure message={printable(failure)} />}
      {answer !== undefined && <Explanation explanation={answer} />}
      {answer !== undefined && <Change explanation={answer} apply={apply} />}
    </div>
  );
}

export interface ChangeProps {
  readonly explanation: ExplanationDocument;
  readonly apply: (body: unknown) => void;
}

/** What would have had to differ. */
export function Change({ explanation: { verdict, change }, apply }: ChangeProps) {
  if (change === undefined) {
    return verdict === 'dropped' ? (
      <p class="muted">No small change of the body was found with which it passes the filters.</p>
    ) : null;
  }
  return (
    <div class="change">
      <p>It would pass the filters with:</p>
      <ul>
        {change.edits.map(({ pointer, to }) => (
          <li key={pointer}>
            <code>{printable(pointer)}</code> = <bdi class="mono">{printable(JSON.stringify(to))}</bdi>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => apply(change.body)}>
        Put it into the editor
      </button>
    </div>
  );
}
