import type { JsonValue, RunFailure, RunOrigin, RunState, RunUsage, TriggerInput } from '../../contract/index.ts';
import type { Reservation } from './memory.ts';
import type { RunTrace } from './run-trace.ts';

/** A run as it is stored. Data only, so that another process or a later start can resume it. */
export interface RunRecord {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  /** The revision of the config that accepted it. */
  readonly revision: string;
  /** Id of the caller that fired it. */
  readonly caller: string;
  /** Which of the caller's secrets was used: its note or place. Never a secret. */
  readonly secret?: string | undefined;
  /** The id of the request that fired it, as its answer names it; undefined for a replay. */
  readonly requestId?: string | undefined;
  /** Its place in a trace; undefined: it belongs to none. Of a burst, that of its last request. */
  readonly trace?: RunTrace | undefined;
  /** As the caller named it: callers may choose the same. */
  readonly sessionId: string | undefined;
  /** What identifies its session, an opaque text (`conversationId`); undefined without a sessionId. */
  readonly conversation: string | undefined;
  /**
   * The value of `per` by which the concurrency of its trigger is limited, found when it was accepted; undefined: none. Dropped
   * with the input.
   */
  readonly concurrencyValue?: string | undefined;
  /** The run whose input this one repeats, if it is a replay. */
  readonly replayOf: string | undefined;
  /**
   * With the masks of the record policy; undefined if the run is final and the policy does not keep inputs. `Engine.wait` may
   * leave it out of a run that is not being executed: only the store has it then, which `Engine.get` reads.
   */
  readonly input: TriggerInput | undefined;
  /** What expressions read of the request that fired it; undefined if the run is final and the policy does not keep inputs. */
  readonly origin: RunOrigin | undefined;
  readonly state: RunState;
  /** How many attempts were started; 0 before the first. */
  readonly attempt: number;
  /** Milliseconds since the epoch, as are all times here. */
  readonly acceptedAt: number;
  /** It starts at this time at the earliest; undefined: as soon as there is a place. */
  readonly startsAt?: number | undefined;
  /** When the latest attempt was started. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** When a queued run starts its next attempt after one that failed. */
  readonly retryAt: number | undefined;
  /** Attempts that failed and were or will be retried, the oldest first. */
  readonly failedAttempts: readonly FailedAttempt[];
  /**
   * How many attempts in a row have ended because their process died, without a stop: the run is a suspect while it is not
   * final and this is not 0. Set back to 0 when an attempt that continues detached work has lived long enough.
   */
  readonly interruptions: number;
  /** Set if it succeeded or requires input, unless the record policy does not keep outputs. */
  readonly output: JsonValue | undefined;
  /** Set if it failed: what happened, fit for callers. */
  readonly failure: RunFailure | undefined;
  /** What the agent said of the failure, for operators; undefined if nothing, or if the record policy does not keep it. */
  readonly failureDetail: string | undefined;
  /** The usage of all attempts together, if the agent reports it. */
  readonly usage: RunUsage | undefined;
  /** What all attempts together have cost; undefined if the config had no prices, or the agent reports no usage. */
  readonly cost: RunCost | undefined;
}

export interface RunCost {
  /** In billionths of the currency, so that sums are exact. */
  readonly nanos: number;
  /** ISO 4217. */
  readonly currency: string;
}

export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** What happened, fit for callers. */
  readonly message: string;
  /** As `failureDetail` of the record. */
  readonly detail?: string | undefined;
}

/** A run as it is submitted: its record without what execution adds. */
export interface NewRun
  extends Pick<
    RunRecord,
    | 'id'
    | 'project'
    | 'trigger'
    | 'revision'
    | 'caller'
    | 'sessionId'
    | 'conversation'
    | 'replayOf'
    | 'acceptedAt'
    | 'concurrencyValue'
    | 'startsAt'
  > {
  readonly secret?: string | undefined;
  readonly requestId?: string | undefined;
  readonly trace?: RunTrace | undefined;
  readonly input: TriggerInput;
  readonly origin?: RunOrigin | undefined;
  readonly policy: RunPolicy;
  /** Set if what it does must happen once: taken in the step that stores it. */
  readonly once?: Once | undefined;
  /** Set if its credential may start a limited number of runs. */
  readonly uses?: LimitedUses | undefined;
  /** What happens while a run of its session is queued or running; undefined: it waits for its turn. */
  readonly onBusy?: OnBusy | undefined;
  /** Set if it waits for the end of its burst, whose latest input it runs with. */
  readonly debounce?: Debounce | undefined;
  /** What its input takes, if the submitter has reserved it. Not stored. */
  readonly inputMemory?: Reservation | undefined;
}

/**
 * What happens once for all time, e.g. the replay of one run: no other run is accepted with it, whatever becomes of the first and
 * however long that is kept. Scopes are those of claims: none may be the id of a trigger.
 */
export interface Once {
  readonly scope: string;
  readonly fingerprint: string;
}

/** `drop`: the new run is refused. `replace`: the others of its session are cancelled once it is accepted. */
export type OnBusy = 'drop' | 'replace';

/**
 * Runs that are submitted with the same key while the first of them waits are one burst: one run, with the id of the first
 * and the input of the last. It starts `waitMs` after the last was submitted, and at most `maxMs` after the first.
 */
export interface Debounce {
  /** Submitters that share a key share a run, so callers and sessions need keys of their own. */
  readonly key: string;
  readonly waitMs: number;
  readonly maxMs: number;
}

/** How often a credential may be used: counted in the step that accepts a run, and forgotten when the credential has ended. */
export interface LimitedUses {
  /** Of the credential. */
  readonly id: string;
  readonly limit: number;
  /** When the credential ends, milliseconds since the epoch: it must not be used from then on. */
  readonly until: number;
}

/** How the engine treats the runs of a trigger. */
export interface RunPolicy {
  /**
   * How much of a final run is kept: `full` everything, `metadata` neither input, origin nor output, nor what agents said of failures, `none` nothing. Before that a
   * run keeps its input. Its claim is kept in any case.
   */
  readonly keep: 'full' | 'metadata' | 'none';
  /**
   * JSON pointers (RFC 6901) into the input. Values there are masked before anything is stored. A run with a masked input
   * cannot be resumed in another process: it fails there, which releases its claim.
   */
  readonly mask: readonly string[];
  /** How long a session is remembered after its last run, in milliseconds. */
  readonly sessionTtlMs: number;
  /** Whether the executor is to be notified when the run is final. */
  readonly notify: boolean;
}

export interface RunQuery {
  readonly project?: string;
  readonly trigger?: string;
  /** `suspect`: those that are not final and whose process has died at least once while it executed them. */
  readonly state?: RunState | 'suspect';
  /** The run of this request. */
  readonly requestId?: string;
  /** Accepted at or after, milliseconds since the epoch. */
  readonly since?: number;
  /** The last run of the page before. */
  readonly after?: Pick<RunRecord, 'id' | 'acceptedAt'>;
  /** At most this many, newest first. */
  readonly limit: number;
  /** Without what may be long: input, origin, output and failureDetail are undefined. */
  readonly isBrief?: boolean;
}
