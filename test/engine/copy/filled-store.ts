import {
  keepAll,
  newAuditEntry,
  newClaim,
  newRequest,
  newRun,
  trace,
  unbounded,
  wide,
  wideAudit,
} from '../../../src/engine/conformance/harness.ts';
import type { OpenedEngine } from '../../../src/engine/definition.ts';
import type {
  Executor,
  LimitCharge,
  NewRecording,
  NewRun,
  RunOutcome,
  RunPolicy,
} from '../../../src/engine/types/index.ts';

const hour = 3_600_000;

/** What the agent does with a run, by its trigger. */
const outcomes: Readonly<Record<string, RunOutcome | undefined>> = {
  succeeds: {
    ...{
      kind: 'succeeded',
      output: { answer: 42, text: 'é\0\ud800' },
      memory: { turns: 1 },
      cost: { nanos: 7, currency: 'EUR' },
    },
    usage: { inputTokens: 3, outputTokens: 2, model: 'm', cachedTokens: 1 },
  },
  fails: { kind: 'failed', message: 'the agent answered 500', retryable: false, detail: 'a stack\0' },
  asks: { kind: 'input_required', output: 'which order?' },
  retries: { kind: 'retry', message: 'the agent is busy', delayMs: hour },
};

const budget = {
  ...({ limit: 'a budget', unit: 'tokens', amount: 10, unreported: 4, isShadow: false, maxValues: 1000 } as const),
  rule: { kind: 'window', amount: 100_000, periodMs: hour },
} satisfies Omit<LimitCharge, 'value'>;

/** Runs of these triggers end or wait for long; of those that hang, one is executed and the others are queued. */
const triggers = [...Object.keys(outcomes), 'hangs', 'bursts', 'later'];

/** A generator of numbers from 0 to below 1 (mulberry32), the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Executes as the triggers say, and keeps callbacks from being delivered. */
export const agent: Executor = {
  async execute(run, { signal, save }) {
    const outcome = outcomes[run.trigger];
    if (outcome !== undefined) return outcome;
    await save({ handle: run.id });
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve({ kind: 'failed', message: 'aborted', retryable: false }));
    });
  },
  concurrencyOf: (_project, trigger) => (trigger === 'hangs' ? { limit: 1, isPerValue: false } : undefined),
  notify: () => hour,
};

/** Fills an engine with runs of all states and everything else that it keeps, and stops it. Returns the runs. */
export async function fill(
  { engine, recordings, audit, notes }: OpenedEngine,
  count: number,
  seed = 1,
): Promise<readonly NewRun[]> {
  const random = numbers(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const context = { clock: { now: Date.now, advance() {} } };
  await engine.start(agent);
  const runs: NewRun[] = [];
  const submissions: Promise<void>[] = [];
  const requests: NewRecording[] = [];
  for (let index = 0; index < count; index += 1) {
    const trigger = triggers[index % triggers.length] ?? '';
    const policy: RunPolicy = {
      ...keepAll,
      keep: pick(['full', 'full', 'metadata', 'none']),
      notify: random() < 0.3,
      // One is masked of those that wait.
      mask: trigger === 'later' && index < 2 * triggers.length ? ['/secret'] : [],
    };
    const run = newRun(context, {
      trigger,
      policy,
      input: { environment: 'api', language: 'en', instruction: `order ${index} \0 ü` },
      sessionId: random() < 0.5 ? `session ${Math.floor(random() * 5)} of ${trigger}` : undefined,
      ...(index % 3 === 0 && { trace }),
      ...(random() < 0.3 && { concurrencyValue: pick(['a', 'b']) }),
      ...(trigger === 'later' && { startsAt: Date.now() + hour }),
      ...(trigger === 'bursts' && { debounce: { key: `burst ${index % 3}`, waitMs: hour, maxMs: 2 * hour } }),
      ...(random() < 0.2 && { uses: { id: 'a token', limit: 10_000, until: Date.now() + hour } }),
    });
    const claim = newClaim({
      fingerprint: `body ${index}`,
      windowMs: pick([undefined, hour]),
      keepOnFailure: random() < 0.5,
    });
    const hasClaim = random() < 0.8;
    const charges: LimitCharge[] = random() < 0.4 ? [{ ...budget, value: pick(['x', 'y\0']) }] : [];
    submissions.push(
      (async () => {
        const { kind } = await engine.submit(run, hasClaim ? claim : undefined, charges);
        if (kind === 'accepted') runs.push(run);
        if (index % 29 === 0) await engine.cancel(run.id);
      })(),
    );
    requests.push(unbounded(newRequest(context, { runId: run.id, bodyText: `body ${index}` })));
  }
  for (let index = 0; index < 20; index += 1) {
    const isOpen = index % 2 === 0;
    const changes = {
      target: `run ${index} \0 ü`,
      ...(isOpen && ({ outcome: 'started', endedAt: undefined } as const)),
    };
    await audit.put(newAuditEntry(context, changes), wideAudit);
  }
  await notes.write('alerts', '{"active":["ü"]}', 0);
  await notes.write('alerts', '{"active":["ü",1]}', 1);
  await Promise.all([...submissions, recordings?.record(requests, wide)]);
  const ending = runs.filter(({ trigger }) => ['succeeds', 'fails', 'asks'].includes(trigger));
  await Promise.all(ending.map(({ id }) => engine.wait(id, hour)));
  await engine.close(0);
  return runs;
}
