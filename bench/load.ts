import type { EventEmitter } from 'node:events';
import autocannon from 'autocannon';
import { processorTimeMs } from './cores.ts';
import { pathOf, type Row, sequencePlaceholder } from './rows.ts';
import type { BenchServer } from './servers.ts';

export interface Measured {
  readonly requestsPerSecond: number;
  /** Processor time of the server for one request, in microseconds; undefined where the system does not tell. */
  readonly serverMicroseconds: number | undefined;
  /** How much of the time the server kept its core busy: less than 1 means that something else was the limit. */
  readonly serverBusy: number | undefined;
  readonly loadBusy: number;
}

/** Loads a server with one row's requests for so long; throws if any answer is not the row's. */
export async function load(server: BenchServer, row: Row, seconds: number): Promise<Measured> {
  const serverBefore = processorTimeMs(server.pid);
  const loadBefore = process.cpuUsage();
  const startedAt = performance.now();
  const result = await autocannon({
    url: server.url + pathOf(row),
    method: row.method,
    headers: { ...row.headers },
    ...(row.body !== undefined && { body: row.body }),
    connections: row.connections,
    duration: seconds,
    sampleInt: 50,
    ...(row.isUnique && { setupClient: countUp }),
  });
  const elapsedMs = performance.now() - startedAt;
  const serverAfter = processorTimeMs(server.pid);
  const used = process.cpuUsage(loadBefore);
  refuseWrongAnswers(row, result);
  const isKnown = serverBefore !== undefined && serverAfter !== undefined;
  const serverMs = isKnown ? serverAfter - serverBefore : undefined;
  return {
    requestsPerSecond: result.requests.total / result.duration,
    serverMicroseconds: serverMs && (serverMs * 1000) / result.requests.total,
    serverBusy: serverMs && serverMs / elapsedMs,
    loadBusy: (used.user + used.system) / 1000 / elapsedMs,
  };
}

/** One request, as the load makes it. Gives the members of the answer, to see that both servers answer alike. */
export async function askOnce(server: BenchServer, row: Row): Promise<{ bytes: number; members: string }> {
  // A body of its own where each must differ.
  const body = row.isUnique
    ? row.body?.replace(sequencePlaceholder, `a${String(Math.random()).slice(2, 13)}`)
    : row.body;
  const { method, headers } = row;
  const response = await fetch(server.url + pathOf(row), { method, headers, body: body ?? null });
  const text = await response.text();
  if (response.status !== row.status)
    throw new Error(`${row.name}: ${response.status} instead of ${row.status}: ${text}`);
  return { bytes: text.length, members: text === '' ? '' : Object.keys(JSON.parse(text)).join() };
}

function refuseWrongAnswers(row: Row, result: autocannon.Result): void {
  const statuses = Object.keys(result.statusCodeStats ?? {});
  const isGood = statuses.join() === String(row.status) && result.errors === 0 && result.timeouts === 0;
  if (!isGood || result.requests.total === 0) {
    throw new Error(
      `${row.name}: wanted ${row.status}, got ${statuses.join()}, ${result.errors} errors, ${result.timeouts} timeouts`,
    );
  }
}

let sequence = 0;

/**
 * Counts up in the bytes of each next request. autocannon would build a request anew for each change, which costs the
 * load generator more than sending it. The bytes are free to change: the request before has been answered.
 */
function countUp(client: autocannon.Client): void {
  if (!('getRequestBuffer' in client) || typeof client.getRequestBuffer !== 'function') {
    throw new Error('autocannon has changed: its client has no getRequestBuffer');
  }
  const request: Buffer = client.getRequestBuffer();
  const at = request.indexOf(sequencePlaceholder);
  if (at < 0) throw new Error('the body has no sequence number');
  // autocannon's types do not know this event.
  const emitter: EventEmitter = client;
  emitter.on('request', () => {
    sequence += 1;
    request.write(String(sequence).padStart(sequencePlaceholder.length, '0'), at, 'latin1');
  });
}
