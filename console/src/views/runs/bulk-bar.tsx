import { durationText } from '../../components/format.ts';
import { printable } from '../../components/printable.ts';
import { hrefOf } from '../../routing/location.ts';
import { type BulkJob, bulk, continueBulk, dismissBulk, stopBulk } from './bulk-job.ts';

/** How many of those that failed are listed. */
const mostListed = 100;

const words = {
  replay: { working: 'Replaying', done: 'replayed' },
  cancel: { working: 'Cancelling', done: 'cancelled' },
} as const;

/** How far a bulk action is; nothing without one. */
export function BulkBar() {
  const job = bulk.value;
  if (job === undefined) return null;
  const { action, phase, total, done, already, faults, left, perSecond, reason } = job;
  const ended = total - left.length;
  const remaining = phase === 'working' ? `, about ${durationText((left.length * 1000) / perSecond)} left` : '';
  return (
    <section class="card bulk" aria-label="Bulk action">
      <div class="section-head">
        <h2>{titleOf(job)}</h2>
        <div class="actions">
          {phase === 'working' && (
            <button type="button" onClick={stopBulk}>
              Stop
            </button>
          )}
          {phase === 'stopped' && (
            <button type="button" class="primary" onClick={continueBulk}>
              Continue
            </button>
          )}
          {phase !== 'working' && (
            <button type="button" onClick={dismissBulk}>
              Dismiss
            </button>
          )}
        </div>
      </div>
      <progress max={total} value={ended} aria-label={`${words[action].working} runs`} />
      <p role="status">
        {ended} of {total}: {done} {words[action].done}
        {already > 0 && `, ${already} ${words[action].done} already`}
        {faults.length > 0 && `, ${faults.length} not ${words[action].done}`}
        {remaining}
      </p>
      {reason !== undefined && <p class="warn">{printable(reason)}</p>}
      {phase === 'stopped' && <p class="muted">What is done stays done. Continuing does nothing twice.</p>}
      {faults.length > 0 && (
        <details open>
          <summary>Not {words[action].done}</summary>
          <ul class="faults">
            {faults.slice(0, mostListed).map(({ runId, trigger, reason: why }) => (
              <li key={runId}>
                <a class="mono" href={hrefOf(['runs', runId])}>
                  {runId}
                </a>{' '}
                ({trigger}): <bdi>{printable(why)}</bdi>
              </li>
            ))}
          </ul>
          {faults.length > mostListed && <p class="muted">… and {faults.length - mostListed} more</p>}
        </details>
      )}
    </section>
  );
}

function titleOf({ action, phase }: BulkJob): string {
  if (phase === 'working') return `${words[action].working} runs …`;
  return `${words[action].working} runs: ${phase}`;
}
