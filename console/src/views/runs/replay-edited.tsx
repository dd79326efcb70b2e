import { useState } from 'preact/hooks';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { ApiError, postJson } from '../../api/client.ts';
import { Confirm } from '../../components/dialog.tsx';
import { goTo } from '../../routing/location.ts';

interface Fault {
  readonly pointer: string;
  readonly message: string;
}

/** Starts a new run with another input, which the gateway checks as the body of a request. */
export function ReplayEdited({ run, close }: { readonly run: RunDocument; readonly close: () => void }) {
  const [text, setText] = useState(() => textOf(run));
  const perform = async (): Promise<void> => {
    try {
      const path = `/runs/${encodeURIComponent(run.runId)}/replay`;
      // As text, so that no digit of a number is lost on the way.
      const { runId } = await postJson<RunDocument>(path, { body: text });
      goTo(['runs', runId]);
    } catch (error) {
      throw error instanceof ApiError ? new Error(describe(error)) : error;
    }
  };
  return (
    <Confirm title="Replay with another input" action="Start a new run" perform={perform} close={close}>
      <label for="edited-input">Input, as the JSON of a request</label>
      <textarea
        id="edited-input"
        rows={16}
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <p class="muted">
        A new run of {`${run.project}/${run.trigger}`} starts at once, for {run.caller}. It is marked as edited, and the
        audit trail has who did it. Filters, dedup and limits are skipped.
      </p>
    </Confirm>
  );
}

/** Where a number of the input has more digits than JavaScript keeps, the run has its JSON as text. */
function textOf({ input, origin }: RunDocument): string {
  const { body } = Object(origin);
  const exact: unknown = Object(body).text;
  return typeof exact === 'string' ? exact : JSON.stringify(input ?? {}, undefined, 2);
}

function describe({ message, problem }: ApiError): string {
  const faults: unknown = problem?.errors;
  if (!Array.isArray(faults)) return message;
  const places = (faults as readonly Fault[]).map(({ pointer, message: what }) => `${pointer || 'the input'}: ${what}`);
  return `${message} ${places.join('; ')}`;
}
