import { isFinal } from '../../contract/index.ts';
import { notificationOf } from '../execution/notification-progress.ts';
import { keptRecord } from '../execution/records.ts';
import type {
  End,
  PendingNotification,
  PendingRun,
  Replacement,
  Retry,
  Start,
  StartedAttempt,
  Store,
  StoredBurst,
  StoredReplacement,
  StoredSubmission,
} from '../execution/store.ts';
import type { Clock } from '../execution/timers.ts';
import type {
  Claim,
  CommitObserver,
  EngineBroken,
  LimitCharge,
  LimitCounter,
  NewRun,
  Once,
  RunProgress,
  RunQuery,
  RunRecord,
} from '../types/index.ts';
import { JournalAudit } from './journal-audit.ts';
import { JournalClient } from './journal-client.ts';
import { JournalNotes } from './journal-notes.ts';
import { JournalRecordings } from './journal-recordings.ts';
import type { JournalData } from './protocol.ts';
import { burstOf, policyOf, type RunRow, recordOf } from './run-rows.ts';

/** How long the end of a run may wait to share a commit while it has no waiter, in milliseconds. */
const endDelayMs = 20;
/** How often the journal is tidied, in milliseconds. */
const tidyEveryMs = 10_000;
/** The pause while there is more to tidy, in milliseconds: cleaning up must not delay new requests. */
const tidyPauseMs = 20;

/** Runs, claims, sessions and recorded requests in a SQLite file, which a thread of its own reads and writes. */
export class Journal implements Store {
  readonly audit: JournalAudit;
  readonly recordings: JournalRecordings;
  readonly notes: JournalNotes;
  readonly #client: JournalClient;
  readonly #clock: Clock;
  #tidying: NodeJS.Timeout | undefined;

  /** Opens the journal; rejects with an Error fit for operators. */
  static async open(data: JournalData, clock: Clock, commits?: CommitObserver): Promise<Journal> {
    return new Journal(await JournalClient.open(data, commits), clock);
  }

  private constructor(client: JournalClient, clock: Clock) {
    this.audit = new JournalAudit(client, clock);
    this.recordings = new JournalRecordings(client, clock);
    this.notes = new JournalNotes(client);
    this.#client = client;
    this.#clock = clock;
    this.#tidyAfter(tidyEveryMs);
  }

  async submit(
    run: NewRun,
    claim: Claim | undefined,
    limits: readonly LimitCharge[],
    startedAt: number | undefined,
    burst?: StoredBurst,
  ): Promise<StoredSubmission> {
    const submitted = { ...written(run), startedAt, burst };
    const stored = await this.#client.ask('runs', 'submit', submitted, claim, limits, this.#clock.now());
    if (stored.repeats !== undefined) return { kind: 'repeated', runId: stored.repeats };
    if (stored.duplicateOf !== undefined) return { kind: 'duplicate', runId: stored.duplicateOf };
    if (stored.isUsedUp) return { kind: 'used_up' };
    if (stored.limited !== undefined) return { kind: 'limited', ...stored.limited };
    return { kind: 'accepted', memory: stored.memory, shadowed: stored.shadowed ?? [] };
  }

  async replace({ id: replaces, run, claim, startsAt }: Replacement): Promise<StoredReplacement> {
    const joining = { ...written(run), replaces, startsAt };
    const replaced = await this.#client.ask('runs', 'replace', joining, claim, this.#clock.now());
    const { isWaiting, repeats, duplicateOf } = replaced;
    if (!isWaiting) return { kind: 'not_waiting' };
    if (repeats !== undefined) return { kind: 'repeated', runId: repeats };
    return duplicateOf === undefined ? { kind: 'replaced' } : { kind: 'duplicate', runId: duplicateOf };
  }

  async holder(claim: Once): Promise<string | undefined> {
    return this.#client.ask('runs', 'holder', claim, this.#clock.now());
  }

  async start(start: Start): Promise<StartedAttempt> {
    const { input, origin, memory, checkpoint } = await this.#client.ask('runs', 'start', start);
    return {
      input: JSON.parse(input),
      origin: origin === undefined ? undefined : JSON.parse(origin),
      memory,
      checkpoint,
    };
  }

  async end({ output, ...end }: End): Promise<void> {
    const text = output === undefined ? undefined : JSON.stringify(output);
    await this.#client.askWithin(endDelayMs, 'runs', 'end', { ...end, output: text }, this.#clock.now());
  }

  hurry(): void {
    this.#client.hurry();
  }

  async retry(retry: Retry): Promise<void> {
    await this.#client.ask('runs', 'retry', retry, this.#clock.now());
  }

  async save(id: string, checkpoint: string): Promise<void> {
    await this.#client.ask('runs', 'save', id, checkpoint);
  }

  async remember(id: string, memory: string): Promise<void> {
    await this.#client.ask('runs', 'remember', id, memory, this.#clock.now());
  }

  async limitCounters(limit: string, most: number): Promise<readonly LimitCounter[]> {
    return this.#client.ask('runs', 'limitCounters', limit, most);
  }

  async resetLimit(limit: string, value: string | undefined): Promise<number> {
    return this.#client.ask('runs', 'resetLimit', limit, value);
  }

  async get(id: string): Promise<RunRecord | undefined> {
    const row = await this.#client.ask('runs', 'get', id);
    return row && visible(row);
  }

  async progress(id: string): Promise<RunProgress | undefined> {
    const row = await this.#client.ask('runs', 'progress', id);
    if (row === undefined) return undefined;
    const { attempts, due_at: dueAt } = row;
    return {
      hasCheckpoint: row.has_checkpoint === 1,
      notification: notificationOf({
        isWanted: row.notify === 1,
        isFinal: row.finished_at !== null,
        pending: attempts === null || dueAt === null ? undefined : { attempts, dueAt },
      }),
    };
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    const rows = await this.#client.ask('runs', 'list', query);
    return rows.flatMap((row) => visible(row) ?? []);
  }

  async resume(): Promise<readonly PendingRun[]> {
    const rows = await this.#client.ask('runs', 'resume', this.#clock.now());
    return rows.map((row) => ({
      record: recordOf(row),
      policy: policyOf(row),
      isMasked: row.is_masked === 1,
      burst: burstOf(row),
    }));
  }

  async stopping(): Promise<void> {
    await this.#client.ask('runs', 'stopping');
  }

  async trust(id: string): Promise<void> {
    await this.#client.ask('runs', 'trust', id);
  }

  async health(): Promise<string | undefined> {
    try {
      const hasRoom = await this.#client.ask('storage', 'check', this.#clock.now());
      return hasRoom ? undefined : 'the journal is full: its maxSize is reached';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  get broken(): Promise<EngineBroken> {
    return this.#client.broken;
  }

  async pendingNotifications(): Promise<readonly PendingNotification[]> {
    return this.#client.ask('runs', 'pendingNotifications');
  }

  async ended(id: string): Promise<RunRecord | undefined> {
    const row = await this.#client.ask('runs', 'get', id);
    return row && recordOf(row);
  }

  async notifyLater(notification: PendingNotification): Promise<void> {
    await this.#client.ask('runs', 'notifyLater', notification);
  }

  async notified(id: string): Promise<void> {
    await this.#client.ask('runs', 'notified', id);
  }

  async close(): Promise<void> {
    clearTimeout(this.#tidying);
    await this.#client.close();
  }

  #tidyAfter(delayMs: number): void {
    this.#tidying = setTimeout(() => this.#tidy(), delayMs);
    this.#tidying.unref();
  }

  async #tidy(): Promise<void> {
    const now = this.#clock.now();
    // One that fails is tried again at the next interval.
    const more = await Promise.all([
      this.#client.ask('runs', 'tidy', now).catch(() => false),
      this.#client.ask('recordings', 'tidy', now).catch(() => false),
    ]);
    if (!this.#client.isOver) this.#tidyAfter(more.includes(true) ? tidyPauseMs : tidyEveryMs);
  }
}

/** A run as it crosses the threads. */
function written({ input, origin, policy, inputMemory: _inputMemory, ...rest }: NewRun) {
  const { keep, sessionTtlMs, notify, mask } = policy;
  return {
    ...rest,
    keep,
    isMasked: mask.length > 0,
    sessionTtlMs,
    notify,
    input: JSON.stringify(input),
    origin: origin && JSON.stringify(origin),
  };
}

/** The record as callers may see it; undefined: none. */
function visible(row: RunRow): RunRecord | undefined {
  const record = recordOf(row);
  return isFinal(record.state) ? keptRecord(record, row.keep) : record;
}
