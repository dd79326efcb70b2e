import { useState } from 'preact/hooks';
import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';
import { postJson } from '../../api/client.ts';
import { mayOperate } from '../../api/session.ts';
import { Confirm } from '../../components/dialog.tsx';
import { goTo } from '../../routing/location.ts';
import { ReplayEdited } from './replay-edited.tsx';

interface ActionProps {
  readonly run: RunDocument;
  readonly refresh: () => void;
}

type Asked = 'cancel' | 'replay' | 'edit';

/** What an operator may do with a run; nothing for others. */
export function RunActions({ run, refresh }: ActionProps) {
  const [asked, setAsked] = useState<Asked>();
  if (!mayOperate.value) return null;
  const { runId, finishedAt, input } = run;
  const close = (): void => setAsked(undefined);
  const path = `/runs/${encodeURIComponent(runId)}`;
  const cancel = async (): Promise<void> => {
    await postJson(`${path}/cancel`);
    refresh();
  };
  const replay = async (): Promise<void> => {
    const { runId: next } = await postJson<RunDocument>(`${path}/replay`);
    goTo(['runs', next]);
  };
  return (
    <>
      {finishedAt === undefined && (
        <button type="button" class="danger" onClick={() => setAsked('cancel')}>
          Cancel
        </button>
      )}
      {input !== undefined && (
        <>
          <button type="button" onClick={() => setAsked('replay')}>
            Replay
          </button>
          <button type="button" onClick={() => setAsked('edit')}>
            Replay edited
          </button>
        </>
      )}
      {asked === 'cancel' && (
        <Confirm title="Cancel this run" action="Cancel the run" isDangerous perform={cancel} close={close}>
          <p>A queued run never starts; the agent of a running one is stopped. This cannot be undone.</p>
        </Confirm>
      )}
      {asked === 'replay' && (
        <Confirm title="Replay this run" action="Start a new run" perform={replay} close={close}>
          <p>
            A new run of <strong>{`${run.project}/${run.trigger}`}</strong> starts at once with the input that is kept,
            by the config that serves now. Filters, dedup and limits are skipped.
          </p>
        </Confirm>
      )}
      {asked === 'edit' && <ReplayEdited run={run} close={close} />}
    </>
  );
}
