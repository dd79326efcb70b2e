import type { StorageHealth } from '../../engine/types/index.ts';
import type { StatusDocument } from './status-document.gen.ts';

/** From which share of failed runs on they need attention, and of how many at least. */
const failures = { share: 0.5, least: 10 };
/** How long before its end a key needs attention, in milliseconds. */
const expiresNextMs = 7 * 24 * 3_600_000;

/** What needs attention, in words; none: all is fine. */
export function attentionOf(status: Omit<StatusDocument, 'attention'>, storage: StorageHealth): string[] {
  const { at, nodes, lastReload, lastHour, openCircuits, expiringKeys, alerts } = status;
  const { failedShare } = lastHour;
  const { failed = 0 } = lastHour.runs;
  const isFailing = failedShare !== null && failedShare >= failures.share && failed >= failures.least;
  const outdated = nodes.filter(({ isCurrent }) => !isCurrent);
  const ending = expiringKeys.filter(({ expiresAt }) => Date.parse(expiresAt) <= Date.parse(at) + expiresNextMs);
  return [
    ...(nodes.length === 0 ? ['no gateway is running'] : []),
    ...(storage.kind === 'fine' ? [] : [`nothing can be stored: ${storage.reason}`]),
    ...(lastReload?.ok === false
      ? [`the config on disk is refused${lastReload.refusedSince === null ? '' : ` since ${lastReload.refusedSince}`}`]
      : []),
    ...outdated.map(({ name }) => `node ${name} serves an older revision, or has other keys`),
    ...alerts.filter(({ state }) => state === 'firing').map(({ name, message }) => `alert ${name}: ${message}`),
    ...openCircuits.map((trigger) => `the agent of ${trigger} is down: its queue is held`),
    ...(isFailing ? [`${Math.round(failedShare * 100)} % of the runs of the last hour have failed`] : []),
    ...ending.map(({ id, expiresAt }) => `a secret of the API key ${id} ends on ${expiresAt.slice(0, 10)}`),
  ];
}
