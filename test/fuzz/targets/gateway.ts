import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Gateway, startGateway } from '../../../src/http/gateway.ts';
import { secrets, writeInto } from '../../support/config-folder.ts';
import { fuzzedRequests } from '../../support/fuzzed-requests.ts';
import { type LogLine, recordingLog } from '../../support/recording-log.ts';
import { Fault, type OpenTarget, type Outcome, promised, type Target } from '../engine/target.ts';
import { bodySeeds } from './bodies.ts';
import { pipelineFiles, triggerKeys } from './gateway-config.ts';
import { type Answer, exchange } from './raw-exchange.ts';
import { StoredRuns } from './stored-runs.ts';

const path = '/api/v1.0/project/support/trigger';
const words = [
  ...[
    'POST ',
    'GET ',
    'HEAD ',
    'DELETE ',
    'OPTIONS ',
    'CONNECT ',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    ' HTTP/2.0\r\n',
    '\r\n',
    '\r\n\r\n',
    '\n',
  ],
  ...[
    'host: gateway\r\n',
    `x-api-key: ${secrets.website}\r\n`,
    'content-type: application/json\r\n',
    'content-length: 2\r\n',
    'content-length: 0\r\n',
  ],
  ...[
    'transfer-encoding: chunked\r\n',
    '2\r\n{}\r\n',
    '0\r\n\r\n',
    '5;ext=1\r\n',
    'expect: 100-continue\r\n',
    'connection: close\r\n',
    'upgrade: websocket\r\n',
  ],
  ...[
    'accept: text/event-stream\r\n',
    'prefer: respond-async\r\n',
    'prefer: wait=0\r\n',
    'idempotency-key: a\r\n',
    'last-event-id: ',
    'trailer: x\r\n',
  ],
  ...[
    ' : ',
    '\tfolded\r\n',
    'x-forwarded-for: 1.2.3.4\r\n',
    '%2F',
    '/run/',
    '/completion',
    '?',
    '#',
    '//',
    '*',
    ...triggerKeys,
  ],
];

/** Bytes on a connection to the public listener. */
export const publicListener: Target = {
  name: 'public-listener',
  weight: 20,
  shape: 'bytes',
  maxBytes: 40_000,
  words,
  *seeds() {
    for (const key of triggerKeys) for (const body of bodySeeds) yield requestTo(`${path}/${key}`, body);
    for (const { bytes } of fc.sample(fuzzedRequests(), { numRuns: 400, seed: 20_261_130 })) yield bytes;
  },
  open: () => opened(({ address }) => address.port),
};

const operations = [
  '/livez',
  '/readyz',
  '/metrics',
  '/config',
  '/runs?limit=5',
  '/requests',
  '/requests/export?trigger=echo',
  '/runs/1',
];

/** Bytes on a connection to the admin listener. */
export const adminListener: Target = {
  name: 'admin-listener',
  weight: 10,
  shape: 'bytes',
  maxBytes: 20_000,
  words: [
    ...words,
    ...operations,
    'host: 127.0.0.1\r\n',
    'origin: https://evil.example\r\n',
    'sec-fetch-site: cross-site\r\n',
    '/cancel',
    '/replay',
    'limit=',
    'since=',
    'after=',
  ],
  *seeds() {
    for (const operation of operations) yield `GET ${operation} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
    yield 'POST /runs/1/cancel HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
  },
  open: () => opened(({ adminAddress }) => adminAddress.port),
};

function requestTo(target: string, body: string): string {
  const length = Buffer.byteLength(body);
  return `POST ${target} HTTP/1.1\r\nhost: gateway\r\nx-api-key: ${secrets.website}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

async function opened(portOf: (gateway: Gateway) => number): Promise<OpenTarget> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-fuzz-'));
  for (const [file, text] of Object.entries(pipelineFiles())) await writeInto(root, file, text);
  const log: LogLine[] = [];
  const started = await startGateway({ root, log: recordingLog(log) });
  if (!started.ok) throw new Error(JSON.stringify(started.problems));
  const { gateway } = started;
  const port = portOf(gateway);
  const stored = new StoredRuns(gateway.adminAddress.port);
  return {
    async run(input) {
      log.length = 0;
      const answers = await exchange(port, input);
      const outcomes = answers.map(outcomeOf);
      const errors = log.filter(({ level }) => level === 'error');
      promised(errors.length === 0, `no request is logged as an error: ${errors[0]?.message}`);
      const count = await stored.countNew();
      const isRefused = answers.every(({ status }) => status >= 400);
      promised(!isRefused || count === 0, `what is refused is not stored: ${outcomes.join(', ')}`);
      return outcomeFrom(outcomes, isRefused);
    },
    async close() {
      stored.close();
      await gateway.close();
      await rm(root, { recursive: true });
    },
  };
}

function outcomeFrom(outcomes: readonly string[], isRefused: boolean): Outcome {
  const code = outcomes.length === 0 ? 'no answer' : outcomes.slice(0, 3).join(', ');
  return { kind: isRefused ? 'refused' : 'value', code, size: outcomes.length };
}

/** The code of an error, or the status of another answer. Throws a Fault if the answer breaks what holds for all of them. */
function outcomeOf({ status, headers, body }: Answer): string {
  // The one error of its own that a gateway may have: there is no memory for a request, or no storage, for now.
  const isFull = status === 503 && headers.has('retry-after');
  if (status >= 500 && !isFull) throw new Fault('server error', `${status}: ${body?.slice(0, 500)}`);
  if (status < 400) return String(status);
  const type = headers.get('content-type') ?? '';
  promised(/^application\/problem\+json\b/.test(type), `an error is a problem document: ${status} ${type}`);
  if (body === undefined) return `${status} without a body`;
  const problem = JSON.parse(body);
  const isComplete =
    problem.status === status && typeof problem.code === 'string' && typeof problem.requestId === 'string';
  promised(isComplete, `a problem has status, code and requestId: ${body.slice(0, 300)}`);
  if (isFull && problem.code !== 'unavailable') throw new Fault('server error', `503: ${problem.code}`);
  return problem.code;
}
