import type { Config } from '../config/model.ts';
import { type AcceptedRun, isFinal, type JsonObject, type JsonValue } from '../contract/index.ts';
import type { Engine, RunQuery, RunRecord } from '../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from './audit/audit-trail.ts';
import { replayOnce } from './happens-once.ts';
import { type ListFilter, parseListFilter, type Selection } from './list-filter.ts';
import { listedStates } from './listed-states.ts';
import { readPage } from './read-page.ts';
import type { RunCountDocument } from './run-count.gen.ts';
import { type CountBounds, countRuns } from './run-count.ts';
import {
  type EditedReplay,
  type EditedReplayOptions,
  type ReplayedRun,
  type ReplayOptions,
  RunReplays,
  triggerOf,
} from './run-replays.ts';
import { detailRun, summarizeRun, viewOfProgress } from './run-view.ts';
import { type RunReader, readRun } from './stored-run.ts';
import { passingOn, type Tracer } from './tracing/tracer.ts';
import { runFields } from './where/run-fields.ts';

/** A filter for a list of runs, as an operator writes it. */
export interface RunFilter extends ListFilter {
  readonly state?: string | undefined;
  /** `true`: `replayedAs` names the only replay of each run, and `isOnlyReplay` says that a run is one. */
  readonly replays?: string | undefined;
}

export type ListedRuns =
  | { readonly ok: true; readonly runs: readonly JsonObject[]; readonly next: string | undefined }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

export type CancelledRun =
  | { readonly kind: 'cancelled' | 'already_final'; readonly run: JsonObject }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type CountedRuns =
  | { readonly ok: true; readonly counted: RunCountDocument }
  /** Why the filter is invalid. */
  | { readonly ok: false; readonly message: string };

export type FollowedRun =
  | { readonly kind: 'found'; readonly run: AcceptedRun }
  | { readonly kind: 'not_found' }
  /** What its agent says is not for operators: its trigger does not keep it. */
  | { readonly kind: 'not_kept' };

/** What is counted of runs, and for how long. */
const countBounds: CountBounds = { most: 100_000, timeMs: 3000 };

/** What operators do with runs: through the admin listener of a gateway, or on the files of one that is not running. */
export class RunOperations {
  readonly #engine: Engine;
  readonly #config: () => Config;
  readonly #trail: AuditTrail;
  readonly #replays: RunReplays;
  readonly #bounds: CountBounds;

  constructor(
    engine: Engine,
    config: () => Config,
    trail: AuditTrail,
    tracer: Tracer = passingOn,
    bounds: CountBounds = countBounds,
  ) {
    this.#engine = engine;
    this.#config = config;
    this.#trail = trail;
    this.#replays = new RunReplays({ engine, config, trail, tracer });
    this.#bounds = bounds;
  }

  async list(filter: RunFilter): Promise<ListedRuns> {
    const selected = await this.#select(filter);
    if (typeof selected === 'string') return { ok: false, message: selected };
    const { query, matches } = selected;
    const { page, next } = await readPage(this.#reader(selected), { limit: query.limit, matches });
    const summarize = async (run: RunRecord) => {
      return { ...summarizeRun(run), ...(filter.replays === 'true' && (await this.#replaysOf(run))) };
    };
    return { ok: true, runs: await Promise.all(page.map(summarize)), next };
  }

  /** How many runs a list with this filter has, whatever its limit. */
  async count(filter: Omit<RunFilter, 'limit' | 'replays'>): Promise<CountedRuns> {
    const selected = await this.#select(filter);
    if (typeof selected === 'string') return { ok: false, message: selected };
    return { ok: true, counted: await countRuns(this.#reader(selected), selected.matches, this.#bounds) };
  }

  #reader({ query, first }: SelectedRuns) {
    return async (last: RunRecord | undefined, limit: number): Promise<readonly RunRecord[]> => {
      const after = last ?? first;
      return this.#engine.list({ ...query, limit, isBrief: true, ...(after !== undefined && { after }) });
    };
  }

  /** The only replay of a run, and whether it is one. */
  async #replaysOf({ id, replayOf }: RunRecord): Promise<JsonObject> {
    const replayedAs = await this.#engine.holder(replayOnce(id));
    const isOnlyReplay = replayOf !== undefined && (await this.#engine.holder(replayOnce(replayOf))) === id;
    return { ...(replayedAs !== undefined && { replayedAs }), ...(isOnlyReplay && { isOnlyReplay }) };
  }

  async show(id: string): Promise<JsonObject | undefined> {
    const run = await this.#engine.get(id);
    if (run === undefined) return undefined;
    const progress = await this.#engine.progress(id);
    return { ...detailRun(run), ...(progress && viewOfProgress(progress)), ...(await this.#replaysOf(run)) };
  }

  /** What the agent of a run says, while it says it, to be read at `statusUrl`. */
  async follow(id: string, statusUrl: string): Promise<FollowedRun> {
    const run = await this.#engine.get(id);
    if (run === undefined) return { kind: 'not_found' };
    const trigger = triggerOf(this.#config(), run);
    // A final run is read from the store, which has what its policy keeps.
    if (!isFinal(run.state) && trigger?.record.keep !== 'full') return { kind: 'not_kept' };
    const reader: RunReader = isFinal(run.state) ? storedOnly(this.#engine) : this.#engine;
    return { kind: 'found', run: readRun(reader, { runId: id, statusUrl }) };
  }

  async cancel(id: string, actor: Actor): Promise<CancelledRun> {
    const before = await this.#engine.get(id);
    const action = { action: 'runs.cancel', target: id, before: before && { state: before.state } };
    return this.#trail.perform(actor, action, () => this.#cancel(id, before), endOfCancel);
  }

  async #cancel(id: string, before: RunRecord | undefined): Promise<CancelledRun> {
    const { kind } = await this.#engine.cancel(id);
    const run = (await this.#engine.get(id)) ?? before;
    return run === undefined || kind === 'not_found' ? { kind: 'not_found' } : { kind, run: detailRun(run) };
  }

  /** As `RunReplays.replay`. */
  replay(id: string, actor: Actor, options?: ReplayOptions): Promise<ReplayedRun> {
    return this.#replays.replay(id, actor, options);
  }

  /** As `RunReplays.replayEdited`. */
  replayEdited(id: string, body: JsonValue, actor: Actor, options: EditedReplayOptions): Promise<EditedReplay> {
    return this.#replays.replayEdited(id, body, actor, options);
  }

  /** What is listed, and after which run, or why the filter is invalid. */
  async #select({ state, after, ...filter }: RunFilter): Promise<SelectedRuns | string> {
    const parsed = parseListFilter(filter, this.#config(), runFields);
    if (!parsed.ok) return parsed.message;
    const { query, before, matches, state: stateOfWhere } = parsed.selection;
    const inState = state ?? stateOfWhere;
    if (inState !== undefined && !isListed(inState)) return `state must be one of ${listedStates.join(', ')}`;
    const last = after === undefined ? undefined : await this.#engine.get(after);
    if (after !== undefined && last === undefined) return 'after must be the id of a run that is still kept';
    return {
      query: { ...query, ...(inState !== undefined && { state: inState }) },
      first: earlier(last, before),
      ...(matches && { matches }),
    };
  }
}

function endOfCancel(cancelled: CancelledRun): AuditedEnd {
  if (cancelled.kind === 'not_found') return { outcome: 'failed', reason: 'run_not_found' };
  if (cancelled.kind === 'unavailable') return { outcome: 'failed', reason: cancelled.kind };
  const after = { state: cancelled.run.state ?? null };
  return cancelled.kind === 'cancelled'
    ? { outcome: 'succeeded', after }
    : { outcome: 'failed', reason: cancelled.kind, after };
}

type RunPlace = Pick<RunRecord, 'id' | 'acceptedAt'>;

/** Runs as they are kept, without what only those have who waited for them. */
function storedOnly(engine: RunReader): RunReader {
  return {
    get: (id) => engine.get(id),
    active: () => undefined,
    wait: (id) => engine.get(id),
    deltas: (id, after, signal) => engine.deltas(id, after, signal),
  };
}

interface SelectedRuns extends Pick<Selection<RunRecord>, 'matches'> {
  readonly query: RunQuery;
  /** The list begins after it; undefined: with the newest run. */
  readonly first: RunPlace | undefined;
}

/** Where a list begins that continues after a run and has nothing from a time on. No id is less than the empty one. */
function earlier(last: RunRecord | undefined, before: number | undefined): RunPlace | undefined {
  if (before === undefined || (last !== undefined && last.acceptedAt < before)) return last;
  return { id: '', acceptedAt: before };
}

function isListed(text: string): text is (typeof listedStates)[number] {
  return listedStates.some((state) => state === text);
}
