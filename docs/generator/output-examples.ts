import type { outputSchemas } from '../../schemas/generator/output-schemas.ts';
import type { RunRecord } from '../../src/engine/types/index.ts';
import type { HistoryDocument } from '../../src/observe/history-document.gen.ts';
import type { RevisionsDocument } from '../../src/observe/revisions-document.gen.ts';
import { explainRequest } from '../../src/review/explain.ts';
import { formatExplanationJson } from '../../src/review/explanation-json.ts';
import type { FilterTrialDocument } from '../../src/review/filter-trial.gen.ts';
import { type OpenConfig, openConfig } from '../../src/review/open-config.ts';
import { formatPlan, runPlan } from '../../src/review/plan/result.ts';
import { triableRequest } from '../../src/review/recorded-requests.ts';
import { Rehearsal } from '../../src/review/rehearsal.ts';
import { requestOfLine } from '../../src/review/request-source.ts';
import { runTests } from '../../src/review/run-tests.ts';
import { formatTestJson } from '../../src/review/test-report-json.ts';
import { viewOfEntry } from '../../src/runtime/audit/audit-entry-json.ts';
import { KeyOperations } from '../../src/runtime/keys/key-operations.ts';
import type { LimitDocument, LimitsDocument } from '../../src/runtime/limits/limits-document.gen.ts';
import { NodeOperations } from '../../src/runtime/nodes/node-operations.ts';
import { exportLine } from '../../src/runtime/recording/recorded-request-json.ts';
import type { ReloadReport } from '../../src/runtime/reloader.ts';
import type { RunCountDocument } from '../../src/runtime/run-count.gen.ts';
import { detailRun, viewOfProgress } from '../../src/runtime/run-view.ts';
import { StatusOperations } from '../../src/runtime/status/status-operations.ts';
import type { TailedRequestDocument } from '../../src/runtime/tailed-request.gen.ts';
import { listTriggers } from '../../src/runtime/triggers/trigger-views.ts';
import { type ExampleConfig, exampleRequest, withExampleConfig } from './example-config.ts';

export type OutputName = keyof typeof outputSchemas;

/** An example of each output, made by the code that makes it for users. */
export function outputExamples(): Promise<Readonly<Record<OutputName, object>>> {
  return withExampleConfig(async (config) => {
    const opened = await openConfig(config.after);
    if (!opened.ok) throw new Error(`the config of the examples has problems: ${JSON.stringify(opened.problems)}`);
    try {
      return {
        'test-report': await testExample(opened, config),
        explanation: await explanationExample(opened, config),
        plan: await planExample(config),
        keys: keysExample(opened, config),
        limits: { limits: [limitExample] } satisfies LimitsDocument,
        triggers: read(JSON.stringify(listTriggers(opened.snapshot, { text: 'refund', limit: 1, after: '' })), config),
        'filter-trial': filterTrialExample,
        'tailed-request': tailedExample,
        history: historyExample,
        revisions: revisionsExample,
        nodes: await nodesExample(),
        'audit-entry': auditExample(),
        status: await statusExample(opened),
        run: runExample(),
        'run-count': { count: 1204, more: false, states: { succeeded: 1200, failed: 4 } } satisfies RunCountDocument,
        'recorded-request': JSON.parse(line),
      };
    } finally {
      await opened.close();
    }
  });
}

const limitExample: LimitDocument = {
  ...{
    id: 'a1b2c3d4',
    name: '60 runs/1m per key',
    level: 'trigger',
    unit: 'runs',
    per: 'key',
    mode: 'enforce',
    limit: 60,
  },
  counters: [{ value: 'website', used: 12, reserved: 0, left: 48, resetsAt: '2027-06-30T12:01:00.000Z' }],
  hasMore: false,
};

const filterTrialExample: FilterTrialDocument = {
  ...{ judged: 120, notJudged: 3, hasMore: false, durationMs: 12.5 },
  committed: { passed: 80, dropped: 40, errors: 0 },
  tried: { passed: 81, dropped: 39, errors: 0 },
  changes: [{ id: exampleRequest.id, receivedAt: '2027-06-30T12:00:00.000Z', from: 'dropped', to: 'passed' }],
};

const tailedExample: TailedRequestDocument = {
  ...{ requestId: 'q9Zr3kVt-2s', receivedAt: '2027-06-30T12:00:00.000Z', method: 'POST', ip: '203.0.113.7' },
  ...{ path: '/api/v1.0/project/support/trigger/refund-request', trigger: 'support/refund-request', caller: 'website' },
  ...{ outcome: 'filtered', code: 'filtered', status: 400, reason: 'paying customers', durationMs: 3.2 },
};

const historyExample: HistoryDocument = {
  ...{ node: 'gateway-1-4711', since: '2027-06-30T12:00:00.000Z', stepMs: 10_000 },
  steps: [
    {
      at: '2027-06-30T12:00:00.000Z',
      requests: { accepted: 3, dropped: 1, duplicate: 0, limited: 0, refused: 0, failed: 0 },
      runs: { succeeded: 3, input_required: 0, failed: 0, cancelled: 0 },
      ...{ p50Ms: 200, p95Ms: 2000, inputTokens: 1200, outputTokens: 300 },
      cost: [{ currency: 'USD', amount: 0.0125 }],
      ...{ queued: 0, running: 0 },
    },
  ],
  reloads: [],
};

const revisionsExample: RevisionsDocument = {
  node: 'gateway-1-4711',
  served: [
    {
      ...{
        revision: '0c5b0f2a9d1e',
        gitCommit: '5ac61ec0b4a8e2f1f0a2b1a7c55b8f54d0c3e0aa',
        dirty: false,
        hasFiles: true,
      },
      ...{ author: 'Ada', subject: 'Enterprise customers may ask for refunds' },
      ...{ servedFrom: '2027-06-30T12:00:00.000Z', servedUntil: null },
    },
  ],
  refused: [],
};

const line = exportLine(exampleRequest);
const request = requestOfLine(line, exampleRequest.id);

async function testExample({ snapshot, sources }: OpenConfig, config: ExampleConfig): Promise<object> {
  const report = await runTests(snapshot, { filter: 'support' });
  // Whatever this machine took for it.
  return read(formatTestJson({ ...report, durationMs: 4 }, sources), config);
}

async function explanationExample({ snapshot, sources }: OpenConfig, config: ExampleConfig): Promise<object> {
  const explanation = await explainRequest(new Rehearsal(snapshot), triableRequest(request));
  return read(formatExplanationJson(explanation, sources), config);
}

async function planExample(config: ExampleConfig): Promise<object> {
  const result = await runPlan({
    base: { root: config.before, label: 'main', shownAs: config.after },
    head: { root: config.after, label: 'config' },
    requests: [request],
    showBodies: false,
    now: exampleRequest.receivedAt,
  });
  if (!result.ok) throw new Error(`the configs of the examples have problems: ${JSON.stringify(result.problems)}`);
  return read(formatPlan(result.plan, result.sources, { format: 'json' }), config);
}

/** Two nodes during a rolling change. */
function nodesExample(): Promise<object> {
  const startedAt = Date.parse('2027-06-30T12:00:00Z');
  const commit = '5ac61ec0b4a8e2f1f0a2b1a7c55b8f54d0c3e0aa';
  const old = {
    ...{ name: 'gateway-1-4711', version: '0.1.0', commit, isDirty: false, keyDigest: '', running: 3 },
    ...{ revision: exampleRequest.revision, startedAt, revisionSince: startedAt },
  };
  const revision = 'c0ffee3c3cd5b9a10d5b1e8d9eb0c0ed3e1a4a86ef0c3cd93d1e6b6ac5ee2f1d';
  const now = startedAt + 3_600_000;
  const next = { ...old, name: 'gateway-2-815', revision, startedAt: now - 60_000, revisionSince: now - 60_000 };
  const nodes = [
    { ...old, life: '0190f3c2-7a1e-7000-8000-1d2c3b4a5f60', leaseUntil: now + 6000 },
    { ...next, life: '0190f3f9-a0de-7000-8000-9f3b7c5e2d14', leaseUntil: now + 7000 },
  ];
  const engine = { nodes: async () => nodes, life: nodes[0]?.life, load: () => ({ queued: 2, running: 3 }) };
  return new NodeOperations(engine, () => old).list(now);
}

/** A run that was cancelled. */
function auditExample(): object {
  const at = Date.parse('2027-06-30T12:00:00Z');
  return viewOfEntry({
    ...{ id: '01a2b2c4-3200-708d-a6d0-e9282018c56b', at, actor: 'ops', role: 'operate', action: 'runs.cancel' },
    ...{ target: '01a2b2c3-6bec-708d-a6d0-e9282018c56b', ip: '127.0.0.1' },
    requestId: '7f1b2c9e-6a9f-4c7c-9e0e-2f3b1f0d7a11',
    ...{ outcome: 'succeeded', reason: undefined, endedAt: at + 12 },
    ...{ before: { state: 'running' }, after: { state: 'cancelled' } },
  });
}

/** A run that has succeeded in its second attempt, whose callback was not delivered yet. */
function runExample(): object {
  const at = Date.parse('2027-06-30T12:00:00Z');
  const failed = { attempt: 1, startedAt: at + 20, endedAt: at + 1220, message: 'The agent answered 503.' };
  const run: RunRecord = {
    ...{ id: '0190f3c2-7a1e-7000-8000-1d2c3b4a5f60', project: 'support', trigger: 'refund-request', caller: 'website' },
    ...{ revision: exampleRequest.revision, requestId: exampleRequest.requestId, sessionId: 'chat-7' },
    trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', flags: 1 },
    ...{
      conversation: undefined,
      replayOf: undefined,
      origin: undefined,
      failure: undefined,
      failureDetail: undefined,
    },
    input: { environment: 'api', language: 'en', instruction: 'refund order 7' },
    ...{ state: 'succeeded', attempt: 2, acceptedAt: at, startedAt: at + 11_220, finishedAt: at + 14_000 },
    ...{ retryAt: undefined, failedAttempts: [failed], interruptions: 0, output: { refunded: true } },
    usage: { inputTokens: 1200, outputTokens: 300, model: 'gpt-5' },
    cost: { nanos: 4_500_000, currency: 'USD' },
  };
  const notification = { kind: 'due', attempts: 1, dueAt: at + 19_000 } as const;
  return { ...detailRun(run), ...viewOfProgress({ hasCheckpoint: false, notification }) };
}

function keysExample({ snapshot }: OpenConfig, config: ExampleConfig): object {
  const usedAt = Date.parse('2027-06-30T12:34:56Z');
  const startedAt = Date.parse('2027-06-30T12:00:00Z');
  const usesOf = (key: string) => new Map(key === 'website' ? [['secrets[0]', usedAt]] : []);
  const node = { name: 'gateway-1-4711', startedAt };
  return read(JSON.stringify(new KeyOperations({ node, snapshot: () => snapshot, usesOf }).list()), config);
}

/** A gateway whose config on disk is refused. */
function statusExample({ config }: OpenConfig): Promise<object> {
  const startedAt = Date.parse('2027-06-30T12:00:00Z');
  const now = startedAt + 3_600_000;
  const gitCommit = '5ac61ec0b4a8e2f1f0a2b1a7c55b8f54d0c3e0aa';
  const engine = {
    ...{ list: () => [], openCircuits: () => [], health: async () => ({ kind: 'fine' }) as const },
    load: () => ({ queued: 0, running: 2 }),
  };
  const own = {
    ...{ name: 'gateway-1-4711', version: '0.1.0', startedAt, revisionSince: startedAt, revision: config.revision },
    ...{ commit: gitCommit, isDirty: false, keyDigest: '' },
  };
  const place = { file: 'config/projects/support/refund-request.yaml', pointer: '' };
  const problem = {
    code: 'unknown_plugin',
    severity: 'error',
    message: 'there is no filter plugin named jsonat',
    place,
  } as const;
  const last: ReloadReport = {
    at: now - 60_000,
    ok: false,
    outcome: 'rejected',
    revision: '',
    problems: [problem],
    sources: new Map(),
  };
  return new StatusOperations({
    engine,
    recordings: undefined,
    nodes: new NodeOperations(engine, () => own),
    config: () => config,
    serving: {
      snapshot: () => ({ gitCommit, isDirty: false, loadedAt: startedAt }),
      reloader: () => ({ last, refusedSince: now - 60_000 }),
      memory: { held: { ...noMemory, runs: 262_144 }, limit: 536_870_912 },
      alerts: () => [],
    },
  }).read(now);
}

const noMemory = { unauthenticated: 0, requests: 0, runs: 0, outputs: 0, deltas: 0, replies: 0, stored: 0 };

/** What was printed, with places as they are where the config is not in a folder that comes and goes. */
function read(printed: string, { after }: ExampleConfig): object {
  return JSON.parse(printed.replaceAll(after, 'config'));
}
