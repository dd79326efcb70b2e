import { uuidv7 } from 'uuidv7';
import type { MaybePromise } from '../../contract/index.ts';
import type {
  Claim,
  Engine,
  NewRecording,
  NewRun,
  RecordedRequest,
  RecordingBounds,
  RunPolicy,
  RunRecord,
} from '../types/index.ts';

/** A new, empty engine that has not been started, with room for at least 2,000 runs and claims. */
export interface ConformanceHarness {
  readonly engine: Engine;
  /** The engine's only source of the time of day. */
  readonly clock: {
    now(): number;
    /** Moves the time of day; a negative number sets it back. */
    advance(ms: number): void;
  };
  /** Frees what the engine does not, such as a folder. Called when the engine is closed. */
  dispose?(): MaybePromise<void>;
}

export type OpenEngine = () => MaybePromise<ConformanceHarness>;

export interface ConformanceCase {
  /** The promise. */
  readonly name: string;
  /** Opens an engine, tries the promise, closes the engine. Rejects if it is broken. */
  run(open: OpenEngine): Promise<void>;
}

/** Makes a case of a promise and the code that tries it. */
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
/** How long a case asks an engine to wait for what must come: so long that no answer can be due to the end of the wait. */
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

/** The policy of a trigger that says nothing of it. */
export const keepAll: RunPolicy = { keep: 'full', mask: [], sessionTtlMs: 3_600_000, notify: false };

/** A run as the gateway submits it, accepted now. */
export function newRun({ clock }: ConformanceHarness, changes: Partial<NewRun> = {}): NewRun {
  return {
    id: uuidv7(),
    project: 'support',
    trigger: 'refund-request',
    revision: 'a1b2c3',
    caller: 'website',
    sessionId: undefined,
    replayOf: undefined,
    input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
    policy: keepAll,
    acceptedAt: clock.now(),
    ...changes,
  };
}

/** A claim for ever that a failed run lets go of. */
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
export function newRequest({ clock }: ConformanceHarness, changes: Partial<RecordedRequest> = {}): RecordedRequest {
  return {
    id: uuidv7(),
    receivedAt: clock.now(),
    project: 'support',
    trigger: 'refund-request',
    caller: 'website',
    ip: '192.0.2.7',
    headers: { 'content-type': 'application/json' },
    bodyText: '{"instruction":"refund order 7"}',
    masked: [],
    verdict: 'accepted',
    code: undefined,
    status: 200,
    by: undefined,
    runId: undefined,
    revision: 'a1b2c3',
    provenance: 'projects/support/refund-request.yaml:4',
    ...changes,
  };
}

/** Bounds that no case comes near without meaning to. */
export const wide: RecordingBounds = { count: 100_000, ageMs: 24 * 3_600_000, sizeBytes: 1024 ** 3 };

/** To be kept within the bounds of all, its trigger having none of its own. */
export function unbounded(request: RecordedRequest): NewRecording {
  return { request, count: undefined, ageMs: undefined };
}

/** The run when it is final; whoever asks checks its state. */
export async function ended({ engine }: ConformanceHarness, runId: string): Promise<RunRecord> {
  const record = await engine.wait(runId, foreverMs);
  if (record === undefined) throw new Error('the engine does not know a run that it has just accepted');
  return record;
}

/** What `look` gives as soon as it gives something; asked again whenever the event loop has turned, for two seconds. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 2000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`not within two seconds: ${look}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
