import type { Config, TriggerConfig } from '../config/model.ts';
import { sameKey } from '../config/trigger-key.ts';
import type { JsonObject, JsonValue, ProblemCode } from '../contract/index.ts';
import { conversationId, type Engine, type NewRun, type RunRecord } from '../engine/types/index.ts';
import type { Actor, AuditedEnd, AuditTrail } from './audit/audit-trail.ts';
import { withEditedInput } from './edited-run.ts';
import { replayOnce } from './happens-once.ts';
import { newRunId } from './run-id.ts';
import { detailRun } from './run-view.ts';
import { policyOf, type Snapshot } from './snapshot.ts';
import type { Tracer } from './tracing/tracer.ts';

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

export interface ReplayOptions {
  /** Whether the run is replayed only if no other replay was to be the only one. */
  readonly once?: boolean;
}

export interface EditedReplayOptions extends ReplayOptions {
  /** Has the trigger that reads the input. */
  readonly snapshot: Snapshot;
}

export interface RunReplayParts {
  readonly engine: Engine;
  readonly config: () => Config;
  readonly trail: AuditTrail;
  readonly tracer: Tracer;
}

/** Starts new runs with the inputs of others, as they are kept or edited. */
export class RunReplays {
  readonly #parts: RunReplayParts;

  constructor(parts: RunReplayParts) {
    this.#parts = parts;
  }

  /** Starts a new run with a stored input, in the session of the caller that fired the first. Filters and dedup are skipped. */
  async replay(id: string, actor: Actor, options: ReplayOptions = {}): Promise<ReplayedRun> {
    const recorded = await this.#parts.engine.get(id);
    const action = { action: 'runs.replay', target: id, before: recorded && { state: recorded.state } };
    return this.#parts.trail.perform(
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
    { snapshot, ...options }: EditedReplayOptions,
  ): Promise<EditedReplay> {
    snapshot.lease();
    try {
      const recorded = await this.#parts.engine.get(id);
      const action = { action: 'runs.replay', target: id, before: recorded && { state: recorded.state } };
      return await this.#parts.trail.perform<EditedReplay>(
        actor,
        action,
        async () => {
          const found = this.#replayOf(recorded, options);
          if (found.kind !== 'found') return found;
          const { recorded: original, trigger } = found;
          const live = snapshot.find(original.project, original.trigger);
          if (live === undefined) return { kind: 'trigger_not_found' };
          const edited = withEditedInput(found.run, body, {
            recorded: original,
            trigger: live,
            config: snapshot.config,
          });
          if (!edited.ok) return { kind: 'refused', code: edited.code, members: edited.members };
          const { run } = edited;
          return this.#submit({ run: { ...run, conversation: conversationId(run, trigger.sessions.scope) } });
        },
        endOfEditedReplay,
      );
    } finally {
      snapshot.release();
    }
  }

  #replayOf(recorded: RunRecord | undefined, { once = false }: ReplayOptions): FoundReplay {
    if (recorded === undefined) return { kind: 'not_found' };
    const trigger = triggerOf(this.#parts.config(), recorded);
    if (trigger === undefined) return { kind: 'trigger_not_found' };
    const { id } = recorded;
    const { input, origin, project, caller, sessionId, concurrencyValue } = recorded;
    const policy = policyOf(trigger);
    // Masked values are gone, and an agent must not mistake the mask for a value.
    if (input === undefined || policy.mask.length > 0) return { kind: 'not_replayable' };
    const { revision } = this.#parts.config();
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
      trace: this.#parts.tracer.ofReplay(recorded),
      ...(once && { once: replayOnce(id) }),
    };
    return { kind: 'found', recorded, trigger, run: { ...run, acceptedAt: Date.now() } };
  }

  async #submit({ run }: { readonly run: NewRun }): Promise<ReplayedRun> {
    const submission = await this.#parts.engine.submit(run, undefined);
    if (submission.kind === 'repeated') return { kind: 'replayed_already', runId: submission.runId };
    if (submission.kind !== 'accepted') {
      return { kind: 'unavailable', reason: submission.kind === 'unavailable' ? submission.reason : submission.kind };
    }
    // A run that waits has its input in the store alone.
    return { kind: 'accepted', run: detailRun({ ...(await submission.wait(0)), input: run.input }) };
  }
}

export function triggerOf(
  { triggers }: Config,
  run: Pick<RunRecord, 'project' | 'trigger'>,
): TriggerConfig | undefined {
  return triggers.find((one) => one.project.id === run.project && sameKey(one.key, run.trigger));
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
