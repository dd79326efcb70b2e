import { useEffect, useState } from 'preact/hooks';
import { signedOutBy } from '../../api/session.ts';
import { Dialog } from '../../components/dialog.tsx';
import { Failure } from '../../components/feedback.tsx';
import { durationText, moneyText, plural } from '../../components/format.ts';
import { Facts } from '../../components/page.tsx';
import { type BulkAction, type BulkPlan, planBulk, startBulk } from './bulk-job.ts';

const rates = [1, 5, 20, 100] as const;
/** How many triggers are listed. */
const mostTriggers = 20;

interface ChooseProps {
  readonly action: BulkAction;
  readonly selection: Readonly<Record<string, string>>;
  readonly close: () => void;
}

/** Counts first what would be done with all runs that match, and asks then. */
export function ChooseBulk({ action, selection, close }: ChooseProps) {
  const [found, setFound] = useState(0);
  const [plan, setPlan] = useState<BulkPlan>();
  const [failure, setFailure] = useState<string>();
  const [perSecond, setPerSecond] = useState(5);
  useEffect(() => {
    const stop = new AbortController();
    planBulk(action, selection, setFound, stop.signal).then(setPlan, (error: unknown) => {
      if (!stop.signal.aborted && !signedOutBy(error))
        setFailure(error instanceof Error ? error.message : String(error));
    });
    return () => stop.abort();
  }, []);
  const verb = action === 'replay' ? 'Replay' : 'Cancel';
  const count = plan?.runs.length ?? 0;
  const start = (): void => {
    if (plan !== undefined) startBulk(plan, perSecond);
    close();
  };
  return (
    <Dialog title={`${verb} all runs that match`} close={close}>
      {failure !== undefined && <Failure message={failure} />}
      {plan === undefined && failure === undefined && (
        <p role="status">Counting: {plural(found, 'run')} found. Nothing is changed yet.</p>
      )}
      {plan !== undefined && <Planned plan={plan} perSecond={perSecond} />}
      {plan !== undefined && count > 0 && (
        <label class="rate">
          At most{' '}
          <select value={perSecond} onChange={({ currentTarget }) => setPerSecond(Number(currentTarget.value))}>
            {rates.map((rate) => (
              <option key={rate} value={rate}>
                {rate} per second
              </option>
            ))}
          </select>
        </label>
      )}
      <footer>
        <button type="button" onClick={close}>
          Back
        </button>
        {count > 0 && (
          <button type="button" class={action === 'cancel' ? 'danger' : 'primary'} onClick={start}>
            {verb} {count.toLocaleString('en-US')} {count === 1 ? 'run' : 'runs'}
          </button>
        )}
      </footer>
    </Dialog>
  );
}

function Planned({ plan, perSecond }: { readonly plan: BulkPlan; readonly perSecond: number }) {
  const { action, runs, matching, already, ownReplays, triggers, costs } = plan;
  const replays = action === 'replay';
  return (
    <>
      <Facts
        facts={[
          ['Matching', plural(matching, 'run')],
          [replays ? 'To replay' : 'To cancel', plural(runs.length, 'run')],
          [replays ? 'Replayed already' : 'Final already', already > 0 ? plural(already, 'run') : undefined],
          ['Left out: made by a bulk replay', ownReplays > 0 ? plural(ownReplays, 'run') : undefined],
          ['They have cost', costs.map(moneyText).join(', ')],
          ['Takes about', runs.length > 0 ? durationText((runs.length * 1000) / perSecond) : undefined],
        ]}
      />
      {triggers.length > 0 && (
        <div class="wide">
          <table>
            <thead>
              <tr>
                <th scope="col">Trigger</th>
                <th scope="col">{replays ? 'To replay' : 'To cancel'}</th>
              </tr>
            </thead>
            <tbody>
              {triggers.slice(0, mostTriggers).map(({ trigger, runs: number }) => (
                <tr key={trigger}>
                  <td>{trigger}</td>
                  <td>{number.toLocaleString('en-US')}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {triggers.length > mostTriggers && (
            <p class="muted">… and {plural(triggers.length - mostTriggers, 'more trigger')}</p>
          )}
        </div>
      )}
      <p class="muted">
        {replays
          ? 'Each run is replayed once, the oldest first, with the input that is kept. Filters and dedup are skipped.'
          : 'A queued run never starts, and the agent of a running one is stopped. The oldest is the first.'}
      </p>
    </>
  );
}
