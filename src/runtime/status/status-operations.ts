import { expiringSecrets } from '../../config/expiring-secrets.ts';
import type { Config } from '../../config/model.ts';
import { describePlace } from '../../diagnostics/describe-place.ts';
import type { Engine, RecordedRequest, Recordings, RunRecord } from '../../engine/types/index.ts';
import type { MemoryBudget } from '../memory/memory-budget.ts';
import type { NodeOperations } from '../nodes/node-operations.ts';
import type { NodeDocument } from '../nodes/nodes-document.gen.ts';
import type { Reloader } from '../reloader.ts';
import type { Snapshot } from '../snapshot.ts';
import { attentionOf } from './attention.ts';
import { forRecent, oldestQueuedAt, recentPage, recentRuns } from './recent-runs.ts';
import type { StatusAlert, StatusDocument, StatusKey, StatusReload, StatusRequests } from './status-document.gen.ts';

/** What a gateway that runs knows beyond its store. */
export interface ServingStatus {
  readonly snapshot: () => Pick<Snapshot, 'gitCommit' | 'isDirty' | 'loadedAt'>;
  readonly reloader: () => Pick<Reloader, 'last' | 'refusedSince'>;
  readonly memory: Pick<MemoryBudget, 'held' | 'limit'>;
  readonly alerts: () => readonly StatusAlert[];
}

export interface StatusParts {
  readonly engine: Pick<Engine, 'list' | 'openCircuits' | 'health'>;
  readonly recordings: Recordings | undefined;
  readonly nodes: Pick<NodeOperations, 'list'>;
  /** The one that serves; without a gateway, the one on disk. */
  readonly config: () => Config;
  /** Undefined: no gateway runs here. */
  readonly serving?: ServingStatus;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How long before its end a key is shown. */
const expiresSoonMs = 30 * dayMs;

/** What an operator looks at first, of a gateway or, without one, of its store. */
export class StatusOperations {
  readonly #parts: StatusParts;

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  async read(now = Date.now()): Promise<StatusDocument> {
    const { engine, nodes, serving } = this.#parts;
    const config = this.#parts.config();
    const { nodes: known, queued } = await nodes.list(now);
    const recent = await recentRuns(engine, now - hourMs);
    const requests = await this.#recentRequests(now - hourMs);
    const oldest = await oldestQueuedAt(engine);
    const storage = await engine.health();
    const document: Omit<StatusDocument, 'attention'> = {
      at: isoTime(now),
      organization: config.organization,
      node: known.find((node) => node.this)?.name ?? null,
      nodes: known.map(statusNode),
      config: servedConfig(config, serving),
      behind: null,
      lastReload: serving === undefined ? null : reloadOf(serving),
      queue: {
        queued: serving === undefined ? await this.#count('queued') : queued,
        running: known.length === 0 ? await this.#count('running') : known.reduce((sum, one) => sum + one.running, 0),
        oldestQueuedAt: oldest === undefined ? null : isoTime(oldest),
      },
      lastHour: { ...recent, runs: { ...recent.runs }, ...requests, isPartial: recent.isPartial || requests.isPartial },
      memory: serving === undefined ? null : memoryOf(serving),
      openCircuits: engine.openCircuits().map(({ project, trigger }) => `${project}/${trigger}`),
      expiringKeys: expiringKeys(config, now),
      alerts: [...(serving?.alerts() ?? [])],
    };
    return { ...document, attention: attentionOf(document, storage) };
  }

  /** Of an engine that has not been started, which executes nothing. */
  async #count(state: 'queued' | 'running'): Promise<number> {
    const { engine } = this.#parts;
    let count = 0;
    await forRecent<RunRecord>(
      async (after) => engine.list({ state, limit: recentPage, ...(after && { after }) }),
      () => {
        count += 1;
      },
    );
    return count;
  }

  async #recentRequests(since: number): Promise<{ requests: StatusRequests | null; isPartial: boolean }> {
    const { recordings } = this.#parts;
    if (recordings === undefined) return { requests: null, isPartial: false };
    const requests = { dropped: 0, limited: 0, unavailable: 0 };
    let isPartial = false;
    for (const verdict of ['dropped', 'limited', 'unavailable'] as const) {
      const hasMore = await forRecent<RecordedRequest>(
        async (after) =>
          recordings.list({ verdict, since, order: 'newest', limit: recentPage, ...(after && { after }) }),
        () => {
          requests[verdict] += 1;
        },
      );
      isPartial ||= hasMore;
    }
    return { requests, isPartial };
  }
}

function statusNode({ name, version, revision, running, hasNewestRevision, keysDiffer }: NodeDocument) {
  return { name, version, revision, running, isCurrent: hasNewestRevision && !keysDiffer };
}

function servedConfig({ revision }: Config, serving: ServingStatus | undefined): StatusDocument['config'] {
  if (serving === undefined) return { revision, gitCommit: null, dirty: null, loadedAt: null };
  const { gitCommit = null, isDirty = null, loadedAt } = serving.snapshot();
  return { revision, gitCommit, dirty: isDirty, loadedAt: isoTime(loadedAt) };
}

function reloadOf({ reloader }: ServingStatus): StatusReload {
  const { last, refusedSince } = reloader();
  const [first] = last.problems.filter(({ severity }) => severity === 'error');
  return {
    at: isoTime(last.at),
    ok: last.ok,
    outcome: last.outcome,
    problem: first === undefined ? null : `${describePlace(first.place, last.sources)}: ${first.message}`,
    refusedSince: refusedSince === undefined ? null : isoTime(refusedSince),
  };
}

function memoryOf({ memory }: ServingStatus): StatusDocument['memory'] {
  const heldBytes = Object.values(memory.held).reduce((sum, bytes) => sum + bytes, 0);
  return { heldBytes: Math.round(heldBytes), limitBytes: Math.round(memory.limit) };
}

function expiringKeys(config: Config, now: number): StatusKey[] {
  return expiringSecrets(config)
    .filter(({ expiresAt }) => expiresAt > now && expiresAt <= now + expiresSoonMs)
    .map(({ key: id, index: secret, expiresAt }) => ({ id, secret, expiresAt: isoTime(expiresAt) }));
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
