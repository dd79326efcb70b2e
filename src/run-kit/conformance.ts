import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JsonValue, type RunRequest, WorkBudget } from '../contract/index.ts';
import { AttemptReleased } from '../engine/types/index.ts';
import { type Driven, type DriveOptions, drive } from './conformance/drive.ts';
import type {
  AgentBehaviour,
  OpenRunPlugin,
  RunPluginCase,
  RunPluginHarness,
  RunPluginPromise,
} from './conformance/harness.ts';
import { isTransient } from './failures.ts';

export { type Driven, type DriveOptions, drive } from './conformance/drive.ts';
export {
  type AgentBehaviour,
  type AgentRequest,
  type Bounds,
  createRun,
  type OpenRunPlugin,
  type RunPluginCase,
  type RunPluginHarness,
  type RunPluginPromise,
} from './conformance/harness.ts';
export { type AgentReply, type HttpProtocol, httpHarness } from './conformance/http-harness.ts';

const mebibyte = 2 ** 20;
/** How long a case waits for what must come, in milliseconds: far longer than any plugin needs. */
const patienceMs = 20_000;

/**
 * What every run plugin must do. Each case is a promise with the code that tries it, for any test runner:
 * `for (const { name, run } of runPluginCases) test(name, () => run(harness))`, but those that `harness.exempt` names.
 */
export const runPluginCases: readonly RunPluginCase[] = [
  promise('answer', 'returns what the agent answers', async (harness) => {
    await withAgent(harness, { kind: 'answers', output: 'the answer' }, async (plugin) => {
      const { result } = await plugin.drive();
      assert.equal(result.kind, 'succeeded', JSON.stringify(result));
      assert.match(JSON.stringify(result), /the answer/);
      assert.equal(plugin.begun(), 1);
    });
  }),

  promise(
    'unknown shape',
    'passes on an answer whose shape it does not know, or fails: never an empty output',
    async (harness) => {
      const output = 'the answer';
      for (const shape of shapesOf(output)) {
        await withAgent(harness, { kind: 'answers', output, shape }, async (plugin) => {
          const { result } = await plugin.drive();
          const message = `${JSON.stringify(shape)} became ${JSON.stringify(result)}`;
          const passedOn = result.kind === 'failed' ? '' : JSON.stringify(result.output);
          const isKept = passedOn.includes(output) || passedOn.includes(JSON.stringify(shape));
          assert.ok(result.kind === 'failed' || isKept, message);
        });
      }
    },
  ),

  promise('cancelled before', 'does not call the agent for a run that was cancelled before', async (harness) => {
    await withAgent(harness, { kind: 'works', afterMs: 0 }, async (plugin) => {
      const { result } = await plugin.drive({ signal: AbortSignal.abort() });
      assert.equal(result.kind, 'failed');
      assert.equal(plugin.begun(), 0);
    });
  }),

  promise('cancelled', 'stops the agent when the run is cancelled', stopsWhenCancelled(0)),

  promise('named late', 'stops work that the agent names only after the run was cancelled', stopsWhenCancelled(300)),

  promise('timeout', 'stops the agent when the time of the attempt is up', async (harness) => {
    await withAgent(harness, { kind: 'works', afterMs: 0 }, async (plugin) => {
      // On a slow machine even the start of an agent may take longer.
      for (let timeoutMs = 500; plugin.begun() === 0; timeoutMs *= 4) assertLate(await plugin.drive({ timeoutMs }));
      await until(plugin.stopped);
    });
  }),

  promise('shutdown', 'lets the agent work on when the gateway stops', async (harness) => {
    await withAgent(harness, { kind: 'works', afterMs: 0 }, async (plugin) => {
      const controller = new AbortController();
      const driven = plugin.drive({ signal: controller.signal });
      await until(() => plugin.begun() === 1);
      // The agent has named its work by then: it lives in this process.
      for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setTimeout(resolve));
      controller.abort(new AttemptReleased());
      assertAborted(await driven);
      // What it has to say is said by then.
      await plugin.close();
      assert.equal(plugin.stopped(), false);
    });
  }),

  promise('flood', 'bounds a flood, which keeps nothing else from running', async (harness) => {
    await withAgent(harness, { kind: 'floods' }, async (plugin) => {
      const { result, deltas } = await plugin.drive();
      assertFailed(result, false);
      assert.ok(deltas.join('').length <= mebibyte);
    });
    const behaviour = { kind: 'floods' } as const;
    await withAgent(harness, behaviour, async (plugin) => assertLate(await plugin.drive({ timeoutMs: 300 })), 2 ** 40);
  }),

  promise('drip', 'ends at the deadline although the agent keeps sending', async (harness) => {
    await withAgent(harness, { kind: 'drips' }, async (plugin) => assertLate(await plugin.drive({ timeoutMs: 300 })));
  }),

  promise('redirect', 'does not follow a redirect', async (harness) => {
    let followed = 0;
    const elsewhere = createServer((_, response) => {
      followed += 1;
      response.end();
    }).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => elsewhere.once('listening', resolve));
      const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
      for (const status of [301, 302, 307, 308]) {
        await withAgent(harness, { kind: 'refuses', status, headers: { location } }, async (plugin) => {
          assertFailed((await plugin.drive()).result, false);
        });
      }
      assert.equal(followed, 0);
    } finally {
      elsewhere.close();
      elsewhere.closeAllConnections();
    }
  }),

  promise('oversize', 'refuses an answer that is larger than allowed', async (harness) => {
    await withAgent(harness, { kind: 'answers', output: 'x'.repeat(2 * mebibyte) }, async (plugin) => {
      assertFailed((await plugin.drive()).result, false);
    });
  }),

  promise('bad JSON', 'refuses JSON that does not parse', async (harness) => {
    await withAgent(harness, { kind: 'sends', bytes: Buffer.from('{"a":') }, async (plugin) => {
      assertFailed((await plugin.drive()).result, false);
    });
  }),

  promise('hostile JSON', 'refuses JSON that is nested too deep or would pollute prototypes', async (harness) => {
    const depth = 100_000;
    for (const json of ['['.repeat(depth) + ']'.repeat(depth), '{"a":{"__proto__":{"admin":true}}}']) {
      await withAgent(harness, { kind: 'sends', bytes: Buffer.from(json) }, async (plugin) => {
        assertFailed((await plugin.drive()).result, false);
      });
    }
  }),

  promise('encoding', 'refuses an answer that is not UTF-8', async (harness) => {
    await withAgent(harness, { kind: 'sends_latin1' }, async (plugin) => {
      const { result } = await plugin.drive();
      assertFailed(result, false);
      assert.match(JSON.stringify(result), /not UTF-8/);
    });
  }),

  promise('foreign memory', 'sends an agent nothing that another one left in the session', async (harness) => {
    let memory: JsonValue | undefined;
    const behaviour = { kind: 'answers', output: 'the answer' } as const;
    await withAgent(harness, behaviour, async (plugin) => {
      memory = (await plugin.drive({}, inSession(undefined))).result.memory;
      await plugin.drive({}, inSession(memory));
      const [first = ''] = stringsIn(memory).filter((text) => plugin.received().includes(text));
      assert.notEqual(first, '', 'its own agent is sent what it left');
    });
    await withAgent(harness, behaviour, async (plugin) => {
      assert.equal((await plugin.drive({}, inSession(memory))).result.kind, 'succeeded');
      for (const text of stringsIn(memory)) assert.ok(!plugin.received().includes(text));
    });
  }),

  promise('reset', 'fails for now when the connection is reset', async (harness) => {
    await withAgent(harness, { kind: 'resets' }, async (plugin) => assertFailed((await plugin.drive()).result, true));
  }),

  promise(
    'statuses',
    'fails on error statuses, retryable where they are transient, and repeats the body to operators only',
    async (harness) => {
      for (const status of [400, 401, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504]) {
        await withAgent(harness, { kind: 'refuses', status }, async (plugin) => {
          const { result, detail } = await plugin.drive();
          assertFailed(result, isTransient(status), `status ${status}`);
          assert.match(JSON.stringify(result), new RegExp(String(status)));
          assert.doesNotMatch(JSON.stringify(result), /s3cret/);
          assert.equal(detail, 's3cret');
        });
      }
    },
  ),

  promise('retry-after', 'leaves the agent alone for as long as it asks', async (harness) => {
    const headers = { 'retry-after': '7' };
    await withAgent(harness, { kind: 'refuses', status: 503, headers }, async (plugin) => {
      const { result } = await plugin.drive();
      assertFailed(result, true);
      assert.equal(result.kind === 'failed' && result.retryAfterMs, 7_000);
    });
  }),
];

/** What agents send in place of a text: parts of known and unknown kinds, or something else altogether. */
function shapesOf(text: string): readonly JsonValue[] {
  return [
    [{ type: 'text', text }],
    [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text },
    ],
    [text],
    { text },
    { type: 'text', text: { value: text, annotations: [] } },
    [{ type: 'brand_new', payload: text }],
    [{ type: 'thinking', thinking: text }],
    { [text]: true },
    [],
    {},
    7,
    null,
  ];
}

interface DrivenPlugin extends OpenRunPlugin {
  drive(options?: DriveOptions, changes?: Partial<RunRequest>): Promise<Driven>;
}

function promise(
  name: RunPluginPromise,
  sentence: string,
  run: (harness: RunPluginHarness) => Promise<void>,
): RunPluginCase {
  return { promise: name, name: sentence, run };
}

async function withAgent(
  harness: RunPluginHarness,
  behaviour: AgentBehaviour,
  body: (plugin: DrivenPlugin) => Promise<void>,
  maxResponse = mebibyte,
): Promise<void> {
  const opened = await harness.open(behaviour, { maxResponse });
  const driven: DrivenPlugin = {
    ...opened,
    drive: (options = {}, changes = {}) =>
      drive(opened.run, { ...request, work: new WorkBudget(), ...changes }, options),
  };
  try {
    await body(driven);
  } finally {
    await opened.close();
  }
}

const request: Omit<RunRequest, 'work'> = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  project: 'support',
  trigger: 'refund-request',
  caller: 'website',
  sessionId: undefined,
  input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
  attempt: 1,
  completionUrl: '/completion',
};

function inSession(memory: JsonValue | undefined): Partial<RunRequest> {
  return { sessionId: 'ada', conversation: '0c5a1b2e-52d7-5f0e-9c3f-2f6a4e1d7b90', session: { memory, remember() {} } };
}

/** The texts in JSON that are long enough to be ids. */
function stringsIn(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return value.length >= 4 ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function assertFailed(result: Driven['result'], retryable: boolean, message?: string): void {
  assert.equal(result.kind, 'failed', message);
  assert.equal(result.kind === 'failed' && result.retryable, retryable, `${message ?? ''} ${JSON.stringify(result)}`);
}

function assertAborted({ result }: Driven): void {
  assertFailed(result, false);
  assert.match(JSON.stringify(result), /the run was aborted/);
}

function assertLate({ result }: Driven): void {
  assertFailed(result, true);
  assert.match(JSON.stringify(result), /did not end within/);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`not within ${patienceMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** @param afterMs how long after the agent was asked it names its work */
function stopsWhenCancelled(afterMs: number): (harness: RunPluginHarness) => Promise<void> {
  return (harness) =>
    withAgent(harness, { kind: 'works', afterMs }, async (plugin) => {
      const controller = new AbortController();
      const driven = plugin.drive({ signal: controller.signal });
      await until(() => plugin.begun() === 1);
      controller.abort();
      assertAborted(await driven);
      await until(plugin.stopped);
    });
}
