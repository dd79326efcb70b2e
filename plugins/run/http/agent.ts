import type { FinalRunResult, JsonValue, PluginContext, RunIdentity, RunRequest } from '../../../src/contract/index.ts';
import {
  type AgentCall,
  AgentClient,
  AgentFault,
  type AgentResponse,
  type Conclude,
  createConclusion,
  createMapping,
  createUsageReader,
  exactInput,
  failed,
  type Mapping,
  namedInLowerCase,
  type UsageReader,
  withDetail,
} from '../../../src/run-kit/index.ts';
import { type Answer, interpret } from './answer.ts';
import type { Options } from './options.gen.ts';
import { type Sign, signerOf } from './signature.ts';

/** The service that is called for runs. */
export class HttpAgent {
  readonly #method: Options['method'];
  readonly #client: AgentClient;
  readonly #conclude: Conclude;
  readonly #mapping: Mapping<JsonValue | undefined> | undefined;
  readonly #usage: UsageReader | undefined;
  readonly #sign: Sign | undefined;

  /** Throws an OptionsError. */
  constructor(context: PluginContext, options: Options) {
    const { method, request, output, usage, sign } = options;
    const headers = { accept: 'application/json, text/*;q=0.9', ...namedInLowerCase(options.headers) };
    this.#method = method;
    this.#client = new AgentClient(context, { ...options, headers });
    this.#usage = createUsageReader(context, usage, ['response']);
    this.#conclude = createConclusion(context, output, ['response'], this.#usage);
    this.#mapping = request === undefined ? undefined : createMapping(context, '/request', request);
    this.#sign = sign && signerOf(sign.secrets);
  }

  get url(): URL {
    return this.#client.url;
  }

  /** Sends the input. Resolves with the head of a response whose status is one of success. Rejects as a call of the kit. */
  async begin(run: RunRequest, signal: AbortSignal, headers = {}): Promise<AgentResponse> {
    const mapped = (await this.#mapping?.apply(run.input, run)) ?? { ok: true, value: exactInput(run) };
    if (!mapped.ok) throw new AgentFault(mapped.failure);
    return this.#ask(run, { method: this.#method, body: JSON.stringify(mapped.value ?? null), headers }, signal);
  }

  /** Asks for the result of detached work. Otherwise as `begin`. */
  poll(run: RunIdentity, url: URL, signal: AbortSignal): Promise<AgentResponse> {
    return this.#ask(run, { method: 'GET', url }, signal);
  }

  /** Notifies the agent that the result of its work is no longer wanted. Never rejects. */
  cancel(run: RunIdentity, url: URL): Promise<void> {
    const call = this.#signed(run, { method: 'DELETE', url });
    return this.#client.notify(call, 'the work could not be cancelled', { runId: run.id });
  }

  /** Reads the rest of a response. Rejects as `begin`. */
  async resultOf(run: RunIdentity, response: AgentResponse): Promise<FinalRunResult> {
    return this.conclude(run, interpret(await response.bytes(), response.headers), response);
  }

  /** Returns the result that an answer means. `response` is what the expression of `output` reads as $response. */
  async conclude(run: RunIdentity, { outcome, value }: Answer, response: ResponseHead): Promise<FinalRunResult> {
    const bindings = bindingsOf(response);
    if (outcome === 'failed') {
      // What the agent says of the failure may hold anything: it is for operators only.
      const failure = withDetail(failed('agent says that it failed'), value);
      return this.#usage?.withUsage(failure, value, run, bindings) ?? failure;
    }
    return this.#conclude(run, { kind: outcome, output: value, bindings });
  }

  async #ask(run: RunIdentity, call: Question, signal: AbortSignal): Promise<AgentResponse> {
    const response = await this.#client.send(this.#signed(run, call), signal);
    if (response.ok) return response;
    if (this.#usage === undefined) throw new AgentFault(await response.failure());
    const { failure, body } = await response.failureAndBody();
    throw new AgentFault(await this.#usage.withUsage(failure, body ?? null, run, bindingsOf(response)));
  }

  /** Adds the headers of a run. By `idempotency-key`, the run's id, an agent can recognise a repeated attempt. */
  #signed(run: RunIdentity, call: Question): AgentCall {
    const event = run.origin?.event.name;
    const headers = {
      'idempotency-key': run.id,
      'pullcord-run-id': run.id,
      'pullcord-project': run.project,
      'pullcord-trigger': run.trigger,
      'pullcord-attempt': String(run.attempt),
      ...(run.conversation !== undefined && { 'pullcord-conversation': run.conversation }),
      // One of the body may hold what a header cannot carry.
      ...(event !== undefined &&
        /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(event) && { 'pullcord-event': event }),
      ...call.headers,
      ...this.#sign?.(`run_${run.id}`, call.body ?? ''),
    };
    return { ...call, headers, trace: run.trace };
  }
}

/** A call whose body is JSON already, to be signed as it is. */
interface Question extends AgentCall {
  readonly body?: string;
}

type ResponseHead = Pick<AgentResponse, 'status' | 'headers'>;

function bindingsOf({ status, headers }: ResponseHead) {
  return { response: { status, headers: { ...headers } } };
}
