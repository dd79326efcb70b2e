import { token } from './token.ts';

/** The answer of the admin API to a request that it refuses (RFC 9457). */
export interface ProblemDocument {
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
  readonly status: number;
  readonly requestId?: string;
  readonly [member: string]: unknown;
}

/** The admin API has refused a request, or could not be reached. */
export class ApiError extends Error {
  /** Undefined: there was no answer. */
  readonly problem: ProblemDocument | undefined;

  constructor(message: string, problem?: ProblemDocument) {
    super(message);
    this.problem = problem;
  }

  get code(): string {
    return this.problem?.code ?? 'unreachable';
  }
}

/** How long an answer may take, in milliseconds. */
const timeoutMs = 30_000;

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a request to the admin API.
 * @param path with its query
 * @throws ApiError unless the status is 2xx
 */
export async function askApi(path: string, request: ApiRequest = {}): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
  return send(path, { ...request, signal });
}

/** As `askApi`, for an answer without an end. */
export async function openApi(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  return send(path, { signal }, headers);
}

/** Asks for a document. */
export async function getJson<Document>(path: string, signal?: AbortSignal): Promise<Document> {
  return (await askApi(path, { signal })).json();
}

/** Sends a change or a question with a body, and returns the document of the answer. */
export async function postJson<Document>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<Document> {
  return (await askApi(path, { method: 'POST', body, signal })).json();
}

async function send(path: string, request: ApiRequest, headers: Record<string, string> = {}): Promise<Response> {
  const { method = 'GET', body, signal } = request;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...headers,
        ...(token.value !== undefined && { authorization: `Bearer ${token.value}` }),
        ...(method !== 'GET' && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal != null && { signal }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
  } catch (error) {
    if (request.signal?.aborted && Object(request.signal.reason).name !== 'TimeoutError') throw error;
    throw new ApiError('The gateway does not answer. Is it running, and is this address still its admin listener?');
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  throw new ApiError(problem?.detail ?? problem?.title ?? `The gateway answered ${response.status}.`, problem);
}

async function problemOf(response: Response): Promise<ProblemDocument | undefined> {
  try {
    const problem: unknown = await response.json();
    return typeof Object(problem).code === 'string' ? (problem as ProblemDocument) : undefined;
  } catch {
    return undefined;
  }
}

/** A path with a query: parameters that are undefined or empty are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}
