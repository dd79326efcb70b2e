import { type Json, type PullcordClient, PullcordError, type Run, type RunEvent } from '../client/index.ts';
import { randomId, readSession, type Turn, writeSession } from './session.ts';

export interface ConversationOptions {
  /** A credential may be bound to the session. */
  readonly clientOf: (sessionId: string) => PullcordClient;
  /** URL of the gateway. */
  readonly url: string;
  /** `project/key`. */
  readonly trigger: string;
  /** Names the session in the storage of the tab. */
  readonly name: string;
  /** Called whenever a turn has changed. */
  readonly onChange: () => void;
}

/** What a visitor and an agent say to each other in one session. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #session: { sessionId: string; turns: Turn[] };
  readonly #clients = new Map<string, PullcordClient>();
  #controller = new AbortController();

  /** Takes up the session of this tab, and its run if that was under way when the page was left. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#session = readSession(options.name);
    const last = this.last;
    if (last?.state !== 'running') return;
    if (last.statusUrl === undefined) last.state = 'failed';
    else void this.#drive(last, this.#following(last, last.statusUrl));
  }

  get turns(): readonly Turn[] {
    return this.#session.turns;
  }

  get last(): Turn | undefined {
    return this.#session.turns.at(-1);
  }

  get isBusy(): boolean {
    return this.last?.state === 'running';
  }

  send(said: string): void {
    if (this.isBusy) return;
    const { sessionId } = this.#session;
    const turn: Turn = { said, sessionId, answer: '', state: 'running', requestKey: randomId() };
    this.#session.turns.push(turn);
    void this.#drive(turn, this.#firing(turn));
  }

  /** Continues to follow the run if only its connection was lost, and else fires again. */
  retry(): void {
    const turn = this.last;
    if (turn === undefined || this.isBusy) return;
    Object.assign(turn, { answer: '', state: 'running', error: undefined });
    const { statusUrl } = turn;
    void this.#drive(turn, statusUrl === undefined ? this.#firing(turn) : this.#following(turn, statusUrl));
  }

  /** A run that is not known yet is cancelled when it is: until then its request continues. */
  stop(): void {
    const turn = this.last;
    if (turn?.state !== 'running') return;
    turn.state = 'stopped';
    this.#changed();
    if (turn.statusUrl !== undefined) void this.#cancel(turn, turn.statusUrl);
  }

  /** Begins a new session. */
  reset(): void {
    this.stop();
    this.#session.turns = [];
    this.#session.sessionId = randomId();
    this.#changed();
  }

  /** Ends all requests; the run continues, and a later conversation of this tab takes it up. */
  close(): void {
    this.#controller.abort();
  }

  #clientOf(sessionId: string): PullcordClient {
    const client = this.#clients.get(sessionId) ?? this.#options.clientOf(sessionId);
    this.#clients.set(sessionId, client);
    return client;
  }

  #firing({ said, sessionId, requestKey }: Turn): AsyncIterable<RunEvent> {
    const body = { sessionId, instruction: said };
    // Not as `idempotencyKey`: a trigger that does not look at it would be fired twice after a broken connection.
    const headers = { 'idempotency-key': requestKey };
    return this.#clientOf(sessionId).stream(this.#options.trigger, body, { headers, signal: this.#controller.signal });
  }

  #following({ sessionId }: Turn, statusUrl: string): AsyncIterable<RunEvent> {
    return this.#clientOf(sessionId).follow(statusUrl, { sessionId, signal: this.#controller.signal });
  }

  async #drive(turn: Turn, events: AsyncIterable<RunEvent>): Promise<void> {
    this.#changed();
    try {
      for await (const event of events) {
        await this.#take(turn, event);
        if (turn.state === 'stopped') break;
      }
    } catch (error) {
      if (this.#controller.signal.aborted) return;
      const statusUrl = error instanceof PullcordError && error.code === 'duplicate' && error.problem.statusUrl;
      // What the gateway has run before: the answer to that is the answer to this.
      if (statusUrl && turn.statusUrl === undefined) {
        turn.statusUrl = new URL(statusUrl, this.#options.url).href;
        return this.#drive(turn, this.#following(turn, turn.statusUrl));
      }
      if (turn.state === 'running') fail(turn, error);
    }
    this.#changed();
  }

  async #take(turn: Turn, event: RunEvent): Promise<void> {
    switch (event.type) {
      case 'accepted':
        turn.statusUrl = event.run.statusUrl;
        if (turn.state === 'stopped') return this.#cancel(turn, turn.statusUrl);
        writeSession(this.#options.name, this.#session);
        break;
      case 'delta':
        if (turn.state === 'running') turn.answer = turn.answer.slice(0, event.offset) + event.text;
        break;
      case 'message':
      case 'done':
        end(turn, event.run);
        break;
      case 'error':
        if (event.problem.code !== 'wait_timeout' || turn.statusUrl === undefined) {
          if (turn.state === 'running') fail(turn, new PullcordError(event.problem));
        } else end(turn, await this.#ended(turn, turn.statusUrl));
    }
    this.#options.onChange();
  }

  #ended({ sessionId }: Turn, statusUrl: string): Promise<Run> {
    return this.#clientOf(sessionId).wait(statusUrl, { sessionId, signal: this.#controller.signal });
  }

  async #cancel(turn: Turn, statusUrl: string): Promise<void> {
    try {
      const run = await this.#clientOf(turn.sessionId).cancel(statusUrl, {
        sessionId: turn.sessionId,
        signal: this.#controller.signal,
      });
      // It may have ended before.
      if (run.status === 'succeeded' || run.status === 'input_required') end(turn, run);
      else turn.statusUrl = undefined;
    } catch (error) {
      if (!this.#controller.signal.aborted) fail(turn, error);
    }
    this.#changed();
  }

  #changed(): void {
    writeSession(this.#options.name, this.#session);
    this.#options.onChange();
  }
}

function end(turn: Turn, { status, output, error }: Run): void {
  turn.statusUrl = undefined;
  if (output !== undefined) turn.answer = textOf(output);
  if (status === 'input_required') turn.state = 'question';
  else if (status === 'cancelled') turn.state = 'stopped';
  else if (status !== 'failed') turn.state = 'done';
  else Object.assign(turn, { state: 'failed', error: error?.message ?? '' });
}

function fail(turn: Turn, error: unknown): void {
  const isKnown = error instanceof PullcordError;
  turn.state = isKnown && error.code === 'run_cancelled' ? 'stopped' : 'failed';
  turn.error = isKnown ? error.message : undefined;
  // An answer of the gateway settles what became of the request; one of a proxy does not.
  if (!isKnown || error.code === 'unknown') return;
  turn.statusUrl = undefined;
  turn.requestKey = randomId();
}

function textOf(output: Json): string {
  return typeof output === 'string' ? output : `\`\`\`\n${JSON.stringify(output, undefined, 2)}\n\`\`\``;
}
