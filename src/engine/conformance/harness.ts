import assert from 'node:assert/strict';
import { uuidv7 } from 'uuidv7';
import type { MaybePromise } from '../../contract/index.ts';
import type { OpenedEngine } from '../definition.ts';
import {
  type AuditBounds,
  type AuditEntry,
  type Claim,
  conversationId,
  type EngineLoad,
  type NewRecording,
  type NewRun,
  type RecordedRequest,
  type RecordingBounds,
  type RunPolicy,
  type RunRecord,
  type RunTrace,
} from '../types/index.ts';

/** A new, empty engine that has not been started, with room for at least 2,000 runs and claims. */
export interface ConformanceHarness extends OpenedEngine {
  /** The engine's only source of the time of day. */
  readonly clock: {
    now(): number;
    /** Moves the time of day; a negative number sets it back. */
    advance(ms: number): void;
  };
  /**
   * Resolves when the engine has noticed that the clock was moved, and has started what may start by it; absent from one that looks
   * at the clock with each call.
   */
  noticed?(): Promise<void>;
  /** Removes what the engine does not, such as a folder. Called after the engine was closed. */
  dispose?(): MaybePromise<void>;
}

export type OpenEngine = () => MaybePromise<ConformanceHarness>;

export interface ConformanceCase {
  /** The promise. */
  readonly name: string;
  /** Opens an engine, verifies the promise, and closes the engine. Rejects if the promise is broken. */
  run(open: OpenEngine): Promise<void>;
}

/** Creates a case from a promise and the code that verifies it. */
export function promise(name: string, body: (harness: ConformanceHarness) => Promise<void>): ConformanceCase {
  return {
    name,
    async run(open) {
      const harness = await open();
      try {
        await inTime(body(harness));
      } finally {
        await harness.engine.close(0);
        await harness.dispose?.();
      }
    },
  };
}

/** How long a case may take: far longer than any engine needs. */
const patienceMs = 10_000;
/** A timeout for waits that must end for another reason: longer than any case. */
export const foreverMs = 3_600_000;

async function inTime(tried: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not done after ${patienceMs} ms`)), patienceMs);
  try {
    await Promise.race([tried, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The default policy of a trigger. */
export const keepAll: RunPolicy = { keep: 'full', mask: [], sessionTtlMs: 3_600_000, notify: false };

/** A run as the gateway submits it, accepted now. Its session, if it has one, is its caller's. */
export function newRun({ clock }: Pick<ConformanceHarness, 'clock'>, changes: Partial<NewRun> = {}): NewRun {
  const named = { project: 'support', trigger: 'refund-request', caller: 'website', sessionId: undefined, ...changes };
  return {
    id: uuidv7(),
    ...named,
    conversation: conversationId(named, 'caller'),
    revision: 'a1b2c3',
    secret: 'secrets[1]',
    requestId: `request-${uuidv7()}`,
    replayOf: undefined,
    input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
    origin: undefined,
    policy: keepAll,
    acceptedAt: clock.now(),
    ...changes,
  };
}

/** The place of a run in a trace, with a `tracestate` that SQL and JSON must not misread. */
export const trace: RunTrace = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  flags: 1,
  state: `rojo=00f067aa0ba902b7,congo=it's {"a"}\\u0000`,
  parentSpanId: '00f067aa0ba902b7',
  firedBy: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: 'b7ad6b7169203331' },
};

/** A claim without a window, which a failed run releases. */
export function newClaim(changes: Partial<Claim> = {}): Claim {
  return {
    scope: 'support/refund-request',
    fingerprint: 'the same body',
    windowMs: undefined,
    keepOnFailure: false,
    ...changes,
  };
}

/** A request as the gateway records it, arrived now. */
export function newRequest(
  { clock }: Pick<ConformanceHarness, 'clock'>,
  changes: Partial<RecordedRequest> = {},
): RecordedRequest {
  return {
    id: uuidv7(),
    receivedAt: clock.now(),
    project: 'support',
    trigger: 'refund-request',
    caller: 'website',
    requestId: `request-${uuidv7()}`,
    ip: '192.0.2.7',
    headers: { 'content-type': 'application/json' },
    origin: undefined,
    bodyText: '{"instruction":"refund order 7"}',
    masked: [],
    verdict: 'accepted',
    code: undefined,
    status: 200,
    by: undefined,
    runId: undefined,
    revision: 'a1b2c3',
    provenance: 'projects/support/refund-request.yaml:4',
    details: { sampled: true, rate: 0.5, gitCommit: '0123456789abcdef0123456789abcdef01234567', dirty: false },
    ...changes,
  };
}

/** Bounds that only a case about bounds reaches. */
export const wide: RecordingBounds = { count: 100_000, ageMs: 24 * 3_600_000, sizeBytes: 1024 ** 3 };

/** An entry of the audit trail as the gateway writes it at the end of an action that was asked for now. */
export function newAuditEntry(
  { clock }: Pick<ConformanceHarness, 'clock'>,
  changes: Partial<AuditEntry> = {},
): AuditEntry {
  return {
    id: uuidv7(),
    at: clock.now(),
    actor: 'ops',
    role: 'operate',
    action: 'runs.cancel',
    target: uuidv7(),
    ip: '127.0.0.1',
    requestId: `request-${uuidv7()}`,
    outcome: 'succeeded',
    reason: undefined,
    before: { state: 'running' },
    after: { state: 'cancelled' },
    endedAt: clock.now(),
    ...changes,
  };
}

/** Bounds of the audit trail that only a case about bounds reaches. */
export const wideAudit: AuditBounds = { count: 100_000, ageMs: 24 * 3_600_000 };

/** A recording of a trigger without bounds of its own. */
export function unbounded(request: RecordedRequest): NewRecording {
  return { request, count: undefined, ageMs: undefined };
}

/** Resolves when the engine says that it has this number of runs to execute. What other nodes do shows with a delay. */
export async function loaded({ engine }: ConformanceHarness, expected: EngineLoad): Promise<void> {
  let seen: EngineLoad | undefined;
  const isReached = async () => {
    seen = engine.load();
    return seen.queued === expected.queued && seen.running === expected.running ? true : undefined;
  };
  await until(isReached).catch(() => assert.deepEqual(seen, expected));
}

/** The record of a run once it is final, in whatever state. */
export async function ended({ engine }: ConformanceHarness, runId: string): Promise<RunRecord> {
  const record = await engine.wait(runId, foreverMs);
  if (record === undefined) throw new Error('the engine does not find a run that it has just accepted');
  return record;
}

/** As `ended`, while time passes: of engines, some wait by a timer, and others by the clock. */
export async function endedInTime(harness: ConformanceHarness, runId: string): Promise<RunRecord> {
  const passing = setInterval(() => harness.clock.advance(1), 1);
  try {
    return await ended(harness, runId);
  } finally {
    clearInterval(passing);
  }
}

/** The first result of `look` that is defined; called once per turn of the event loop, for up to two seconds. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 2000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`not within two seconds: ${look}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
