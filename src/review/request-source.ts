import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { foldKey } from '../config/trigger-key.ts';
import { eventBinding, type JsonObject } from '../contract/index.ts';
import type { RecordedDetails, RecordedOrigin, RecordedRequest } from '../engine/types/index.ts';
import { openRecordings } from '../host/open-recordings.ts';
import { parseLexically } from '../runtime/recording/lexical-json.ts';
import { recordedRunIn } from './recorded-run-in.ts';

/** A request from outside: one that a gateway recorded, or only a body. */
export interface SourcedRequest
  extends Pick<RecordedRequest, 'id' | 'receivedAt' | 'ip' | 'headers' | 'bodyText' | 'masked' | 'run'> {
  /** Absent members are unknown. */
  readonly origin?: Partial<RecordedOrigin> | undefined;
  /** Undefined: for every trigger, or for every project's trigger of that key. */
  readonly project: string | undefined;
  readonly trigger: string | undefined;
  /** False if `receivedAt` is only the time at which it was read. Default: true. */
  readonly hasOwnTime?: boolean;
  /** Undefined: a caller that may do everything. */
  readonly caller: string | undefined;
  /** The recorded verdict, if there is one. */
  readonly verdict: string | undefined;
  readonly by: string | undefined;
  readonly status: number | undefined;
  /** False: it was recorded for its outcome alone. */
  readonly sampled?: boolean;
  /** Why it has no body, headers and query; absent: all of it that was sent is here. */
  readonly omitted?: RecordedDetails['omitted'];
}

/** Why requests cannot be read, in words for the user. */
export class RequestSourceError extends Error {
  override readonly name = 'RequestSourceError';
  /** Whether the source exists but does not respond as expected. */
  readonly isOutOfReach: boolean;

  constructor(message: string, { isOutOfReach = false } = {}) {
    super(message);
    this.isOutOfReach = isOutOfReach;
  }
}

const outOfReach = { isOutOfReach: true };

export interface SourceOptions {
  /** For the admin listener, if the source is its URL. */
  readonly token: string | undefined;
  /** When requests that are only bodies arrive, milliseconds since the epoch. */
  readonly now: number;
}

/** How long an export may take to start, in milliseconds. */
const deadlineMs = 30_000;
/** A plan with more requests would take too long. */
const mostRequests = 1_000_000;

/**
 * Reads recorded requests, the oldest first: from the store of a gateway's engine, an export (JSON Lines), a folder of bodies,
 * the admin listener of a running gateway, or stdin. Throws a RequestSourceError if they cannot be read completely.
 */
export async function readRequests(source: string, options: SourceOptions): Promise<readonly SourcedRequest[]> {
  const requests: SourcedRequest[] = [];
  const known = new Set<string>();
  for await (const one of requestsOf(source, options)) {
    const identity = identityOf(one);
    // Exports may overlap.
    if (known.has(identity)) continue;
    known.add(identity);
    if (requests.length === mostRequests) {
      throw new RequestSourceError(`${source} has more than ${mostRequests} requests: select a part of them`);
    }
    requests.push(one);
  }
  return requests.sort((one, other) => one.receivedAt - other.receivedAt);
}

/** An id is unique in one gateway; requests of two may be in one source. */
function identityOf({ id, project, trigger, receivedAt }: SourcedRequest): string {
  return JSON.stringify([id, project, trigger === undefined ? undefined : foldKey(trigger), receivedAt]);
}

async function* requestsOf(source: string, options: SourceOptions): AsyncIterable<SourcedRequest> {
  if (source === '-') return yield* linesOf('stdin', process.stdin);
  if (/^https?:\/\//.test(source)) return yield* adminRequests(source, options);
  const recordings = await openRecordings(source);
  if (recordings !== undefined) return yield* recordingsIn(recordings);
  const found = await stat(source).catch(() => undefined);
  if (found === undefined) throw new RequestSourceError(`there is no file or folder ${source}`);
  if (found.isDirectory()) return yield* bodiesIn(source, options.now);
  yield* linesOf(source, createReadStream(source));
}

/** Errors of an engine's store are written for users. */
async function* recordingsIn(
  recordings: Iterable<RecordedRequest> | AsyncIterable<RecordedRequest>,
): AsyncIterable<SourcedRequest> {
  try {
    for await (const request of recordings) {
      const { sampled, omitted } = request.details ?? { sampled: true };
      yield { ...request, sampled, ...(omitted !== undefined && { omitted }) };
    }
  } catch (error) {
    throw new RequestSourceError(error instanceof Error ? error.message : String(error));
  }
}

async function* adminRequests(url: string, { token }: SourceOptions): AsyncIterable<SourcedRequest> {
  const address = `${url.replace(/\/$/, '')}/requests/export`;
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ headersTimeout: deadlineMs, bodyTimeout: deadlineMs });
  try {
    const answer = await request(address, {
      dispatcher,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }).catch((error: unknown) => {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new RequestSourceError(`no answer from ${address}: ${reason}`, outOfReach);
    });
    if (answer.statusCode === 401) {
      const fault = token === undefined ? 'requires a token: set PULLCORD_ADMIN_TOKEN' : 'rejected this token';
      throw new RequestSourceError(`the admin listener at ${url} ${fault}`, outOfReach);
    }
    if (answer.statusCode !== 200) {
      throw new RequestSourceError(`${address} answered ${answer.statusCode}: is it an admin listener?`, outOfReach);
    }
    // A consumer that stops reading early must not get an error for the rest.
    answer.body.on('error', () => {});
    yield* linesOf(address, answer.body);
  } finally {
    await dispatcher.destroy();
  }
}

async function* linesOf(name: string, stream: NodeJS.ReadableStream): AsyncIterable<SourcedRequest> {
  let number = 0;
  try {
    for await (const line of splitLines(stream)) {
      number += 1;
      if (line.trim() !== '') yield requestOfLine(line, `${name}:${number}`);
    }
  } catch (error) {
    if (error instanceof RequestSourceError) throw error;
    throw new RequestSourceError(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Splits at line feeds only: other line separators may be part of a JSON string. */
async function* splitLines(stream: NodeJS.ReadableStream): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of stream) {
    const lines = `${rest}${typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

/** What `pullcord requests export` writes; optional members may be missing. Errors contain no values. */
export function requestOfLine(line: string, place: string): SourcedRequest {
  let members: Record<string, unknown>;
  let written: Record<string, unknown>;
  try {
    members = Object(JSON.parse(line));
    written = Object(parseLexically(line));
  } catch {
    throw new RequestSourceError(`${place} is not JSON`);
  }
  const { receivedAt: at } = members;
  const receivedAt = typeof at === 'string' || typeof at === 'number' ? Date.parse(String(at)) : Number.NaN;
  const text = (name: string) => (typeof members[name] === 'string' ? members[name] : undefined);
  const [project, trigger] = [text('project'), text('trigger')];
  const isBody = members.body === undefined || isObject(members.body) || Array.isArray(members.body);
  if (project === undefined || trigger === undefined || Number.isNaN(receivedAt) || !isBody) {
    throw new RequestSourceError(`${place} is not a recorded request: it needs project, trigger and receivedAt`);
  }
  return {
    ...{ project, trigger, receivedAt },
    id: text('id') ?? place,
    // Exports of earlier versions say `key`.
    caller: text('caller') ?? text('key'),
    ip: text('ip') ?? '127.0.0.1',
    headers: stringMembers(members.headers),
    origin: originIn(members),
    bodyText: written.body === undefined ? text('text') : JSON.stringify(written.body),
    masked: Array.isArray(members.masked) ? members.masked.filter((pointer) => typeof pointer === 'string') : [],
    verdict: text('verdict'),
    by: text('by'),
    status: typeof members.status === 'number' ? members.status : undefined,
    run: recordedRunIn(members.run),
    sampled: members.sampled !== false,
    ...((members.omitted === 'not_read' || members.omitted === 'not_kept') && { omitted: members.omitted }),
  };
}

/** What an export has of it; one of an earlier version has nothing. */
function originIn({ query, event, claims }: Record<string, unknown>): Partial<RecordedOrigin> {
  return {
    ...(isObject(query) && { query: queryIn(query) }),
    ...(isObject(event) && { event: eventBinding(stringMembers(event)) }),
    ...(isObject(claims) && { claims: claims as JsonObject }),
  };
}

function queryIn(value: unknown): RecordedOrigin['query'] {
  const entries = Object.entries(Object(value)).map(([name, given]) => [
    name,
    Array.isArray(given) ? given.map(String) : String(given),
  ]);
  return Object.fromEntries(entries);
}

function stringMembers(value: unknown): Record<string, string> {
  const entries = Object.entries(Object(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}

/**
 * A folder of bodies: `NAME.json` is for every trigger, `KEY/NAME.json` for the triggers of that key,
 * `PROJECT/KEY/NAME.json` for that one. They arrive in the order of their names.
 */
async function* bodiesIn(folder: string, now: number): AsyncIterable<SourcedRequest> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  if (paths.length === 0) throw new RequestSourceError(`there is no .json file in the folder ${folder}`);
  for (const [index, path] of paths.entries()) {
    const inside = relative(folder, path);
    const [trigger, project] = inside.split(sep).slice(0, -1).reverse();
    const bodyText = await readFile(path, 'utf8');
    checkBody(bodyText, path);
    yield {
      ...{ project, trigger, bodyText },
      id: inside === basename(inside) ? basename(path, '.json') : inside.replace(/\.json$/, ''),
      receivedAt: now + index,
      hasOwnTime: false,
      caller: undefined,
      ip: '127.0.0.1',
      headers: {},
      masked: [],
      verdict: undefined,
      by: undefined,
      status: undefined,
    };
  }
}

function checkBody(text: string, path: string): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RequestSourceError(`${path} is not JSON`);
  }
  if (!isObject(body) && !Array.isArray(body)) throw new RequestSourceError(`${path} is not a JSON object or list`);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
