import { PullcordError } from './error.ts';
import { type ServerEvent, serverEvents } from './events.ts';
import { ReceivedText } from './received-text.ts';
import { errorOf, Requests } from './requests.ts';
import { sleep } from './sleep.ts';
import { triggerUrl } from './trigger-url.ts';
import type { ClientOptions, FireOptions, Json, Problem, RequestOptions, Run, RunEvent, WaitOptions } from './types.ts';

/** How long one read waits for the end of a run: shorter than proxies hold a silent request. */
const waitSeconds = 20;
/** How often a stream is taken up again that brings nothing new, and the pause before, in milliseconds. */
const mostReconnects = 5;
const reconnectMs = 1_000;

/** Fires triggers of a Pullcord gateway, in browsers and in Node. */
export class PullcordClient {
  readonly #base: string;
  readonly #requests: Requests;

  constructor(options: ClientOptions) {
    this.#base = options.url.replace(/\/$/, '');
    this.#requests = new Requests(options);
  }

  /**
   * Fires a trigger: `project/key`. Returns its run, which has ended if the trigger waits for that, or else continues.
   * Throws a PullcordError if the gateway did not accept the request, or the run failed while it waited.
   */
  async fire(trigger: string, body?: Json, options: FireOptions = {}): Promise<Run> {
    const response = await this.#post(trigger, body, options, 'application/json');
    return this.#runFired(response, trigger, body, options);
  }

  /** Waits for the end of a run, by reading it again and again. */
  async wait(run: Run | string, { signal, timeoutMs = Infinity, ...named }: WaitOptions = {}): Promise<Run> {
    const { url, sessionId } = addressOf(run, named);
    const endsAt = Date.now() + timeoutMs;
    for (;;) {
      const startedAt = Date.now();
      const seconds = Math.max(0, Math.min(waitSeconds, Math.ceil((endsAt - startedAt) / 1000)));
      const query = `${url.includes('?') ? '&' : '?'}wait=${seconds}s`;
      const response = await this.#requests.send({
        ...{ method: 'GET', url: url + query, headers: sessionHeader(sessionId), signal, isRepeatable: true },
      });
      if (!response.ok) throw await errorOf(response);
      const read = await this.#runOf(response, { sessionId });
      if (isFinal(read) || Date.now() >= endsAt) return read;
      // A gateway that answers at once must not be asked in a circle.
      if (Date.now() - startedAt < 1000) await sleep(reconnectMs, signal);
    }
  }

  /** Fires a trigger and waits for the end of its run. Throws a PullcordError if it is not accepted, fails or is cancelled. */
  async run(trigger: string, body?: Json, options: FireOptions & WaitOptions = {}): Promise<Run> {
    const fired = await this.fire(trigger, body, options);
    const ended = isWhole(fired) ? fired : await this.wait(fired, options);
    if (ended.status !== 'failed' && ended.status !== 'cancelled') return ended;
    throw new PullcordError(problemOf(ended));
  }

  /** Cancels a run; returns it as it is then: one that has ended stays as it is. */
  async cancel(run: Run | string, { signal, ...named }: RequestOptions = {}): Promise<Run> {
    const { url, sessionId } = addressOf(run, named);
    const headers = sessionHeader(sessionId);
    const response = await this.#requests.send({ method: 'DELETE', url, headers, signal, isRepeatable: true });
    if (!response.ok) throw await errorOf(response);
    return this.#runOf(response, { sessionId });
  }

  /**
   * Fires a trigger and follows its run. A connection that breaks is taken up again where it broke: no piece is lost or
   * doubled. Throws a PullcordError if the gateway does not accept the request; what becomes of the run is an event.
   */
  async *stream(trigger: string, body?: Json, options: FireOptions = {}): AsyncGenerator<RunEvent> {
    const response = await this.#post(trigger, body, options, 'text/event-stream');
    if (isEventStream(response)) return yield* this.#follow(response, sessionOf(body), options.signal);
    const run = await this.#runFired(response, trigger, body, options);
    if (!isWhole(run)) return yield* this.follow(run, options);
    yield { type: 'accepted', run };
    yield* endOf(run);
  }

  /** Follows a run from its beginning, however it was fired. */
  async *follow(run: Run | string, { signal, ...named }: RequestOptions = {}): AsyncGenerator<RunEvent> {
    const { url, sessionId } = addressOf(run, named);
    yield* this.#follow(await this.#read({ url, sessionId, signal }), sessionId, signal);
  }

  async *#follow(
    first: Response,
    sessionId: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RunEvent> {
    let lastId: string | undefined;
    let url: string | undefined;
    let last: RunEvent | undefined;
    const text = new ReceivedText();
    for (let reconnects = 0, response = first; ; reconnects += 1) {
      try {
        for await (const event of serverEvents(response.body)) {
          if (event.id !== undefined && event.id !== lastId) reconnects = 0;
          lastId = event.id ?? lastId;
          const read = this.#eventOf(event, sessionId);
          if (read === undefined) continue;
          // A reconnection begins with it too.
          if (read.type === 'accepted') {
            if (url !== undefined) continue;
            url = read.run.statusUrl;
          }
          if (read.type === 'delta') text.add(read);
          if (read.type === 'message') yield* text.missingIn(read.run);
          last = read;
          yield read;
          if (read.type === 'done' || read.type === 'error') return;
        }
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (url === undefined) throw error;
      }
      // It was cut between the last two events, which have one id.
      if (last?.type === 'message') return yield { type: 'done', run: last.run };
      if (url === undefined || reconnects >= mostReconnects) throw new Error('the connection to the gateway was lost');
      await sleep(reconnectMs * 2 ** reconnects, signal);
      text.isBroken = true;
      response = await this.#read({ url, sessionId, signal, lastEventId: lastId });
    }
  }

  async #read({ url, sessionId, signal, lastEventId }: RunRead): Promise<Response> {
    const headers = {
      accept: 'text/event-stream',
      ...sessionHeader(sessionId),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    const response = await this.#requests.send({ method: 'GET', url, headers, signal, isRepeatable: true });
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  #post(trigger: string, body: Json | undefined, options: FireOptions, accept: string): Promise<Response> {
    const { idempotencyKey, headers, signal } = options;
    return this.#requests.send({
      method: 'POST',
      url: this.#addressOf(trigger),
      headers: { accept, ...headers, ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      isRepeatable: idempotencyKey !== undefined,
    });
  }

  /** The run that a request has started, also behind an answer that is an error for others: it continues. */
  async #runFired(
    response: Response,
    trigger: string,
    body: Json | undefined,
    { idempotencyKey }: FireOptions,
  ): Promise<Run> {
    const sessionId = sessionOf(body);
    if (response.ok) return this.#runOf(response, { trigger, sessionId });
    const error = await errorOf(response);
    const { runId, statusUrl } = error.problem;
    // Its own repetition found what the first request had started.
    const isOwn = error.code === 'duplicate' && idempotencyKey !== undefined;
    const isUnderWay = error.code === 'wait_timeout' || isOwn;
    if (!isUnderWay || runId === undefined || statusUrl === undefined) throw error;
    return this.#runIn({ runId, status: 'running', statusUrl }, sessionId);
  }

  #eventOf({ type, data }: ServerEvent, sessionId: string | undefined): RunEvent | undefined {
    const members = JSON.parse(data);
    switch (type) {
      case 'accepted':
      case 'message':
      case 'done':
        return { type, run: this.#runIn(members, sessionId) };
      case 'delta':
        return { type, attempt: members.attempt, offset: members.offset, text: members.text };
      case 'error':
        return { type, problem: members };
      default:
        return undefined;
    }
  }

  #addressOf(trigger: string): string {
    return triggerUrl(this.#base, trigger);
  }

  /** The answer with a result names no address of its run. */
  async #runOf(response: Response, fired: { trigger?: string; sessionId: string | undefined }): Promise<Run> {
    const members = (await response.json()) as Run;
    const { trigger, sessionId } = fired;
    const statusUrl =
      trigger === undefined || members.statusUrl
        ? members.statusUrl
        : `${this.#addressOf(trigger)}/run/${members.runId}`;
    return this.#runIn({ ...members, statusUrl }, sessionId);
  }

  #runIn(members: Run, sessionId: string | undefined): Run {
    const statusUrl = members.statusUrl && this.#absolute(members.statusUrl);
    return { ...members, statusUrl, ...(sessionId !== undefined && { sessionId }) };
  }

  #absolute(statusUrl: string): string {
    return new URL(statusUrl, this.#base).href;
  }
}

interface RunRead {
  readonly url: string;
  readonly sessionId: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly lastEventId?: string | undefined;
}

function addressOf(run: Run | string, { sessionId }: RequestOptions): Pick<RunRead, 'url' | 'sessionId'> {
  return typeof run === 'string'
    ? { url: run, sessionId }
    : { url: run.statusUrl, sessionId: run.sessionId ?? sessionId };
}

function sessionOf(body: Json | undefined): string | undefined {
  const sessionId = typeof body === 'object' && body !== null && 'sessionId' in body ? body.sessionId : undefined;
  return typeof sessionId === 'string' ? sessionId : undefined;
}

function sessionHeader(sessionId: string | undefined): Record<string, string> {
  return sessionId === undefined ? {} : { 'x-session-id': encodeURIComponent(sessionId) };
}

function isEventStream({ ok, headers }: Response): boolean {
  return ok && headers.get('content-type')?.startsWith('text/event-stream') === true;
}

function isFinal({ status }: Run): boolean {
  return status !== 'queued' && status !== 'running';
}

/** Whether nothing more is to be read of it: the answer that it is under way may come when it has ended. */
function isWhole(run: Run): boolean {
  return isFinal(run) && run.output !== undefined;
}

function* endOf(run: Run): Generator<RunEvent> {
  if (run.status === 'failed' || run.status === 'cancelled') yield { type: 'error', problem: problemOf(run) };
  else {
    yield { type: 'message', run };
    yield { type: 'done', run };
  }
}

function problemOf({ status, runId, statusUrl, error }: Run): Problem {
  const detail = error?.message;
  return { status: 502, code: `run_${status}`, runId, statusUrl, ...(detail !== undefined && { detail }) };
}
