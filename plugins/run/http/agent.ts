import {
  type FailedRunResult,
  type FinalRunResult,
  type JsonValue,
  type MaybePromise,
  type OutboundClient,
  OutboundError,
  type OutboundRequest,
  type OutboundResponse,
  type RunIdentity,
  type RunRequest,
} from '../../../src/contract/index.ts';
import type { Mapping } from '../mapping.ts';
import { type Answer, readAnswer } from './answer.ts';
import { refusalOf } from './refusal.ts';
import { requestHeaders } from './request-headers.ts';
import type { Sign } from './signature.ts';

export interface AgentOptions {
  readonly client: OutboundClient;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sign: Sign | undefined;
  readonly output: Mapping<JsonValue | undefined> | undefined;
}

/** What the agent is sent. */
export interface Question {
  readonly method: OutboundRequest['method'];
  readonly url: URL;
  /** JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came of a question: a failure, or a response with a status of success. */
export type Asked =
  | { readonly ok: true; readonly response: OutboundResponse }
  | { readonly ok: false; readonly failure: FailedRunResult };

/** The service that is called for runs. Whatever it answers is a value; only bugs are thrown. */
export class HttpAgent {
  readonly #options: AgentOptions;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  async ask(run: RunRequest, { method, url, body, headers }: Question, signal: AbortSignal): Promise<Asked> {
    const { client, headers: configured, sign } = this.#options;
    const sent = {
      ...requestHeaders(run, configured),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
      ...sign?.(`run_${run.id}`, body ?? ''),
    };
    try {
      const response = await client.request(url, {
        ...{ method, headers: sent, signal },
        ...(body !== undefined && { body }),
      });
      const failure = await refusalOf(response);
      return failure === undefined ? { ok: true, response } : { ok: false, failure };
    } catch (error) {
      return { ok: false, failure: failureOf(error) };
    }
  }

  /** What a response with a status of success says. */
  async resultOf(run: RunIdentity, response: OutboundResponse): Promise<FinalRunResult> {
    let answer: Answer;
    try {
      answer = await readAnswer(response);
    } catch (error) {
      return failureOf(error);
    }
    return this.result(run, answer, response);
  }

  /** What an answer comes to, however it came. */
  result(
    run: RunIdentity,
    answer: Answer,
    { status, headers }: Pick<OutboundResponse, 'status' | 'headers'>,
  ): MaybePromise<FinalRunResult> {
    if (!answer.ok) return answer.failure;
    const { value, outcome } = answer;
    // What it says of a failure may hold anything.
    if (outcome === 'failed') return { kind: 'failed', message: 'agent says that it failed', retryable: false };
    const { output } = this.#options;
    if (output === undefined) return { kind: outcome, output: value };
    const mapped = output.apply(value, run, { response: { status, headers: { ...headers } } });
    const finish = (settled: Awaited<typeof mapped>): FinalRunResult =>
      settled.ok ? { kind: outcome, output: settled.value ?? null } : settled.failure;
    return mapped instanceof Promise ? mapped.then(finish) : finish(mapped);
  }
}

function failureOf(error: unknown): FailedRunResult {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { kind: 'failed', message: 'agent did not answer in time', retryable: true };
  }
  const known = OutboundError.from(error);
  if (known === undefined) throw error;
  return { kind: 'failed', message: known.message, retryable: known.retryable };
}
