import type { JsonObject } from '../../contract/index.ts';
import type { FiredRequest } from '../../runtime/recording/fire-operations.ts';
import type { GatewayAccess } from '../access.ts';
import { AccessError } from '../access-error.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from '../terminal.ts';
import type { Acted } from './bulk.ts';
import type { BulkOptions } from './bulk-options.ts';
import { carryOut } from './carry-out.ts';
import { Costs } from './costs.ts';
import { expectedCosts } from './expected-costs.ts';
import { durationOf } from './progress.ts';
import { type BulkItem, type BulkPlan, type BulkWords, counted, type Finished, printPlan } from './report.ts';
import { byTrigger } from './selected-runs.ts';

const words: BulkWords = { action: 'fire', past: 'fired', noun: ['request', 'requests'] };

export interface FireCommand extends BulkOptions {
  /** `current`, or a revision that must be the one that serves. */
  readonly revision: string;
}

/** A request, and what would become of it by the config that serves. */
interface Explained extends BulkItem {
  readonly found: FiredRequest;
}

/**
 * Fires the recorded requests that match and that the config which serves would accept now: each once for all time, also over
 * commands that were stopped, killed, or run at once.
 */
export async function fireRequests(access: GatewayAccess, where: string, command: FireCommand): Promise<ExitCode> {
  const { requests } = access;
  const explained = await explainAll(requests, await selectRequests(requests, where), command.revision);
  const passing = explained.filter(({ found }) => found.kind === 'passes').slice(0, command.limit);
  const costs = await expectedCosts(access.runs, byTrigger(passing));
  printPlan(planOf(explained, passing, costs, command), command);
  if (command.dryRun) return exitCodes.fine;
  const already = explained.flatMap(({ id, trigger, found }): Finished[] => {
    const outcome = actedOf(found);
    return outcome.kind === 'already' ? [{ item: { id, trigger }, outcome }] : [];
  });
  const revision = passing[0]?.found.revision;
  const items: readonly BulkItem[] = passing.map(({ id, trigger }) => ({ id, trigger }));
  const act = async ({ id }: BulkItem) => actedOf((await requests.fire(id, { revision })) ?? gone);
  return carryOut({ words, items, already, act }, command);
}

const gone: FiredRequest = { kind: 'not_fireable', reason: 'it is no longer kept', revision: '' };

/** As many as the admin listener returns at a time. */
const pageSize = '1000';

/** The requests that match, the oldest first. */
async function selectRequests(access: GatewayAccess['requests'], where: string): Promise<readonly BulkItem[]> {
  const found = new Map<string, BulkItem>();
  let after: string | undefined;
  for (;;) {
    const page = await access.list({ where, after, limit: pageSize });
    if (!page.ok) throw new UsageError(page.message);
    for (const { id, project, trigger } of page.requests) {
      found.set(String(id), { id: String(id), trigger: `${project}/${trigger}` });
    }
    if (page.next === undefined) return [...found.values()].reverse();
    after = page.next;
  }
}

async function explainAll(
  access: GatewayAccess['requests'],
  items: readonly BulkItem[],
  revision: string,
): Promise<readonly Explained[]> {
  const explained: Explained[] = [];
  for (const item of items) {
    const found = (await access.fire(item.id, { revision, isDryRun: true })) ?? gone;
    if (found.kind === 'unavailable') throw new AccessError(`the gateway cannot explain requests now: ${found.reason}`);
    if (found.kind === 'other_revision') {
      throw new UsageError(
        `revision ${revision} does not serve; ${found.revision} does, which --revision current means`,
      );
    }
    explained.push({ ...item, found });
  }
  return explained;
}

/** Waits of a limit that a command sits out, in seconds; after longer ones, it is to be run again. */
const longestLimitSeconds = 60;

function actedOf(fired: FiredRequest): Acted {
  switch (fired.kind) {
    case 'fired':
      return { kind: 'done', as: String(fired.run.runId) };
    case 'fired_already':
      return { kind: 'already', as: fired.runId };
    case 'duplicate':
      return { kind: 'already', as: fired.runId, reason: `it has a run: ${fired.runId ?? 'no longer kept'}` };
    case 'limited': {
      const seconds = Number(fired.retryAfter ?? 1);
      if (seconds > longestLimitSeconds) return { kind: 'skipped', reason: `limited by ${fired.by} for ${seconds}s` };
      return { kind: 'no_room', reason: `limited by ${fired.by}`, retryAfterMs: seconds * 1000 };
    }
    case 'unavailable':
      return { kind: 'no_room', reason: fired.reason };
    case 'other_revision':
      throw new AccessError(`revision ${fired.revision} serves by now, which was not asked what it accepts`);
    default:
      return { kind: 'skipped', reason: reasonOf(fired) };
  }
}

/** Why a request does not pass, in words. */
function reasonOf(found: FiredRequest): string {
  switch (found.kind) {
    case 'dropped':
      return `still dropped by "${found.by}": ${found.reason}`;
    case 'busy':
      return `its session is busy with run ${found.runId}`;
    case 'not_fireable':
      return `it cannot be fired: ${found.reason}`;
    case 'trigger_not_found':
      return 'its trigger no longer exists';
    case 'trigger_paused':
      return 'its trigger is paused';
    default:
      return found.kind;
  }
}

function planOf(
  explained: readonly Explained[],
  passing: readonly Explained[],
  costs: ReadonlyMap<string, Costs>,
  { rate }: FireCommand,
): BulkPlan {
  const toDo = new Set(passing);
  const triggers = byTrigger(explained).map(([trigger, requests]) => ({
    trigger,
    toFire: requests.filter((request) => toDo.has(request)).length,
    already: requests.filter(({ found }) => actedOf(found).kind === 'already').length,
    stillDropped: requests.filter(({ found }) => found.kind === 'dropped').length,
    other: requests.filter(({ found }) => isOther(found)).length,
    costs: costs.get(trigger),
  }));
  const total = new Costs();
  for (const one of costs.values()) total.addAll(one);
  const seconds = (passing.length * rate.perMs) / rate.amount / 1000;
  const stopped = explained.filter(({ found }) => found.kind === 'dropped' || isOther(found));
  return {
    head: ['TRIGGER', 'TO FIRE', 'FIRED ALREADY', 'STILL DROPPED', 'CANNOT BE FIRED', 'EXPECTED COST'],
    rows: triggers.map((one) => [
      ...[one.trigger, one.toFire, one.already, one.stillDropped, one.other, one.costs?.text],
    ]),
    document: {
      action: words.action,
      revision: explained[0]?.found.revision ?? null,
      matching: explained.length,
      toDo: passing.length,
      expectedCost: total.document,
      withoutCost: total.unknown,
      seconds,
      triggers: triggers.map(({ costs, ...one }) => ({ ...one, expectedCost: costs?.document ?? [] })),
      notFired: stopped.map(({ id, trigger, found }) => ({ id, trigger, ...shown(found) })),
    },
    notes: [
      ...groups(stopped),
      `${counted(passing.length, words.noun)} to fire, in ${durationOf(seconds)} at ${rate.text}${costNote(total)}`,
    ],
  };
}

function isOther({ kind }: FiredRequest): boolean {
  return kind === 'not_fireable' || kind === 'trigger_not_found' || kind === 'trigger_paused';
}

function shown(found: FiredRequest): JsonObject {
  return { outcome: found.kind, reason: reasonOf(found), ...(found.kind === 'dropped' && { by: found.by }) };
}

/** How many do not pass, by why. */
function groups(stopped: readonly Explained[]): readonly string[] {
  const byReason = Map.groupBy(stopped, ({ trigger, found }) => `${trigger}: ${reasonOf(found)}`);
  return [...byReason].map(([reason, requests]) => `${requests.length} of ${reason}`);
}

function costNote({ text, unknown }: Costs): string {
  if (text === '') return '';
  return `; expected cost ${text}, by the latest runs${unknown === 0 ? '' : `, and of ${unknown} it is unknown`}`;
}

/**
 * Fires one request, without asking: it is named.
 * @param name its id, or the `X-Request-Id` of its answer
 */
export async function fireRequest(
  access: GatewayAccess['requests'],
  name: string,
  { revision, dryRun }: FireCommand,
): Promise<ExitCode> {
  const recorded = await access.show(name);
  const fired = recorded && (await access.fire(String(recorded.id), { revision, isDryRun: dryRun }));
  if (fired === undefined) {
    terminal.words(`error: recorded request ${name} not found; it may be past its retention`);
    return exitCodes.problems;
  }
  if (fired.kind === 'other_revision') {
    throw new UsageError(`revision ${revision} does not serve; ${fired.revision} does, which --revision current means`);
  }
  const { kind: outcome, ...rest } = fired;
  terminal.data(JSON.stringify({ outcome, ...rest }, undefined, 2));
  return outcome === 'fired' || outcome === 'passes' || outcome === 'fired_already'
    ? exitCodes.fine
    : exitCodes.problems;
}
