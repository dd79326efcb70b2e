import type { Config, TriggerConfig } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import { type AcceptedRun, isFinal, type JsonObject, type JsonValue, type ProblemCode } from '../contract/index.ts';
import { conversationId, type Engine, type NewRun, type RunQuery, type RunRecord } from '../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from './audit/audit-trail.ts';
import { withEditedInput } from './edited-run.ts';
import { replayOnce } from './happens-once.ts';
import { type ListFilter, parseListFilter, type Selection } from './list-filter.ts';
import { listedStates } from './listed-states.ts';
import { readPage } from './read-page.ts';
import type { RunCountDocument } from './run-count.gen.ts';
import { type CountBounds, countRuns } from './run-count.ts';
import { newRunId } from './run-id.ts';
import { detailRun, summarizeRun, viewOfProgress } from './run-view.ts';
import { policyOf, type Snapshot } from './snapshot.ts';
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

export type ReplayedRun =
  | { readonly kind: 'accepted'; readonly run: JsonObject }
  /** It was to be replayed once, and that run has done it. */
  | { readonly kind: 'replayed_already'; readonly runId: string }
  | { readonly kind: 'not_found' | 'trigger_not_found' | 'not_replayable' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type EditedReplay =
  | ReplayedRun
  /** Its trigger does not take such an input. */
  | { readonly kind: 'refused'; readonly code: ProblemCode; readonly members: JsonObject };

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

export interface ReplayOptions {
  /** Whether the run is replayed only if no other replay was to be the only one. */
  readonly once?: boolean;
}

/** What operators do with runs: through the admin listener of a gateway, or on the files of one that is not running. */
export class RunOperations {
  readonly #engine: Engine;
  readonly #config: () => Config;
  readonly #trail: AuditTrail;
  readonly #tracer: Tracer;
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
    this.#tracer = tracer;
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
      return this.#engine.list({ ...query, limit, ...(after !== undefined && { after }) });
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
    const trigger = this.#trigger(run.project, run.trigger);
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

  /** Starts a new run with a stored input, in the session of the caller that fired the first. Filters and dedup are skipped. */
  async replay(id: string, actor: Actor, options: ReplayOptions = {}): Promise<ReplayedRun> {
    const recorded = await this.#engine.get(id);
    const action = { action: 'runs.replay', target: id, before: recorded && { state: recorded.state } };
    return this.#trail.perform(
      actor,
      action,
      async () => {
        const found = this.#replayOf(recorded, options);
        return found.kind === 'found' ? this.#submit(found) : found;
      },
      endOfReplay,
    );
  }

  /** As `replay`, with another input, which the trigger of the snapshot reads and checks as the body of a request. */
  async replayEdited(
    id: string,
    body: JsonValue,
    actor: Actor,
    { snapshot, ...options }: ReplayOptions & { readonly snapshot: Snapshot },
  ): Promise<EditedReplay> {
    const recorded = await this.#engine.get(id);
    const action = { action: 'runs.replay', target: id, before: recorded && { state: recorded.state } };
    return this.#trail.perform<EditedReplay>(
      actor,
      action,
      async () => {
        const found = this.#replayOf(recorded, options);
        if (found.kind !== 'found') return found;
        const { recorded: original, trigger } = found;
        const live = snapshot.find(original.project, original.trigger);
        if (live === undefined) return { kind: 'trigger_not_found' };
        const edited = withEditedInput(found.run, body, { recorded: original, trigger: live, config: snapshot.config });
        if (!edited.ok) return { kind: 'refused', code: edited.code, members: edited.members };
        const { run } = edited;
        return this.#submit({ run: { ...run, conversation: conversationId(run, trigger.sessions.scope) } });
      },
      endOfEditedReplay,
    );
  }

  #replayOf(recorded: RunRecord | undefined, { once = false }: ReplayOptions): FoundReplay {
    if (recorded === undefined) return { kind: 'not_found' };
    const trigger = this.#trigger(recorded.project, recorded.trigger);
    if (trigger === undefined) return { kind: 'trigger_not_found' };
    const { id } = recorded;
    const { input, origin, project, caller, sessionId, concurrencyValue } = recorded;
    const policy = policyOf(trigger);
    // Masked values are gone, and an agent must not mistake the mask for a value.
    if (input === undefined || policy.mask.length > 0) return { kind: 'not_replayable' };
    const { revision } = this.#config();
    const named = { project, trigger: trigger.key, caller, sessionId };
    const conversation = conversationId(named, trigger.sessions.scope);
    const run = {
      id: newRunId(),
      ...named,
      conversation,
      revision,
      replayOf: id,
      input,
      origin,
      policy,
      concurrencyValue,
      trace: this.#tracer.ofReplay(recorded),
      ...(once && { once: replayOnce(id) }),
    };
    return { kind: 'found', recorded, trigger, run: { ...run, acceptedAt: Date.now() } };
  }

  async #submit({ run }: { readonly run: NewRun }): Promise<ReplayedRun> {
    const submission = await this.#engine.submit(run, undefined);
    if (submission.kind === 'repeated') return { kind: 'replayed_already', runId: submission.runId };
    if (submission.kind !== 'accepted') {
      return { kind: 'unavailable', reason: submission.kind === 'unavailable' ? submission.reason : submission.kind };
    }
    // A run that waits has its input in the store alone.
    return { kind: 'accepted', run: detailRun({ ...(await submission.wait(0)), input: run.input }) };
  }

  #trigger(project: string, key: string): TriggerConfig | undefined {
    return this.#config().triggers.find((one) => one.project.id === project && sameKey(one.key, key));
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

function endOfReplay(replayed: ReplayedRun): AuditedEnd {
  if (replayed.kind === 'not_found') return { outcome: 'failed', reason: 'run_not_found' };
  if (replayed.kind === 'replayed_already') {
    return { outcome: 'failed', reason: replayed.kind, after: { runId: replayed.runId } };
  }
  if (replayed.kind !== 'accepted') return { outcome: 'failed', reason: replayed.kind };
  const { runId = null, state = null } = replayed.run;
  return { outcome: 'succeeded', after: { runId, state } };
}

type RunPlace = Pick<RunRecord, 'id' | 'acceptedAt'>;

function endOfEditedReplay(replayed: EditedReplay): AuditedEnd {
  if (replayed.kind === 'refused') return { outcome: 'failed', reason: replayed.code, after: { isEdited: true } };
  const { after, ...end } = endOfReplay(replayed);
  return { ...end, after: { ...after, isEdited: true } };
}

/** The run that repeats another one, before it is submitted. */
type FoundReplay =
  | {
      readonly kind: 'found';
      readonly recorded: RunRecord;
      readonly trigger: TriggerConfig;
      readonly run: NewRun;
    }
  | Exclude<ReplayedRun, { kind: 'accepted' | 'replayed_already' | 'unavailable' }>;

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
