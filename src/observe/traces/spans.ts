import { LRUCache } from 'lru-cache';
import type { AttemptMessage, CallbackMessage, RequestMessage, TraceContext } from '../../contract/index.ts';
import { knownMethods } from './conventions.ts';
import {
  integerAttribute,
  numberAttribute,
  type SpanShape,
  shapeOf,
  spanJson,
  spanKinds,
  textAttribute,
} from './otlp-json.ts';

/** How many shapes are kept: about those of the triggers and callers that are busy. */
const mostShapes = 1000;

/** What becomes a span when it is exported. */
export type SpanRecord =
  | { readonly kind: 'request'; readonly trace: TraceContext; readonly message: RequestMessage }
  | OfRun<'attempt', AttemptMessage>
  | OfRun<'callback', CallbackMessage>;

interface OfRun<Kind, Message> {
  readonly kind: Kind;
  readonly trace: TraceContext;
  readonly message: Message;
  readonly startMs: number;
  /** Whether the request that fired the run still waited: it is the parent then, and only linked otherwise. */
  readonly isNested: boolean;
}

/** Whether a span is exported even if it is not sampled. */
export function hasFailed(message: RequestMessage | AttemptMessage | CallbackMessage): boolean {
  if ('receivedAt' in message) return (message.status ?? 0) >= 500;
  return message.result !== undefined && failedResults.has(message.result);
}

const failedResults: ReadonlySet<string> = new Set(['failed', 'retry', 'given_up', 'gone']);

/** The attributes by the names of their conventions; those of no convention begin with `pullcord`. */
const http = {
  method: textAttribute('http.request.method'),
  scheme: textAttribute('url.scheme'),
  path: textAttribute('url.path'),
  route: textAttribute('http.route'),
  status: integerAttribute('http.response.status_code'),
  resendCount: integerAttribute('http.request.resend_count'),
  serverAddress: textAttribute('server.address'),
  serverPort: integerAttribute('server.port'),
  clientAddress: textAttribute('client.address'),
};
const errorType = textAttribute('error.type');
const genAi = {
  operation: textAttribute('gen_ai.operation.name'),
  provider: textAttribute('gen_ai.provider.name'),
  agent: textAttribute('gen_ai.agent.name'),
  conversation: textAttribute('gen_ai.conversation.id'),
  model: textAttribute('gen_ai.response.model'),
  inputTokens: integerAttribute('gen_ai.usage.input_tokens'),
  outputTokens: integerAttribute('gen_ai.usage.output_tokens'),
  cachedTokens: integerAttribute('gen_ai.usage.cache_read.input_tokens'),
  reasoningTokens: integerAttribute('gen_ai.usage.reasoning.output_tokens'),
};
const pullcord = {
  requestId: textAttribute('pullcord.request.id'),
  runId: textAttribute('pullcord.run.id'),
  project: textAttribute('pullcord.project'),
  trigger: textAttribute('pullcord.trigger'),
  outcome: textAttribute('pullcord.outcome'),
  reason: textAttribute('pullcord.reason'),
  plugin: textAttribute('pullcord.plugin'),
  attempt: integerAttribute('pullcord.attempt'),
  result: textAttribute('pullcord.result'),
  costAmount: numberAttribute('pullcord.cost.amount'),
  costCurrency: textAttribute('pullcord.cost.currency'),
  callbackAttempt: integerAttribute('pullcord.callback.attempt'),
  callbackResult: textAttribute('pullcord.callback.result'),
};

/** Writes spans as JSON. What spans of a trigger have in common is written once. */
export class SpanWriter {
  readonly #shapes = new LRUCache<string, SpanShape>({ max: mostShapes });

  write(record: SpanRecord): string {
    switch (record.kind) {
      case 'request':
        return this.#request(record.trace, record.message);
      case 'attempt':
        return this.#attempt(record);
      case 'callback':
        return this.#callback(record);
    }
  }

  /** An HTTP server span. */
  #request(trace: TraceContext, message: RequestMessage): string {
    const { receivedAt, durationMs = 0, status, code, reason } = message;
    const failed = hasFailed(message);
    return spanJson({
      trace,
      parentSpanId: trace.parentSpanId,
      isParentRemote: trace.parentSpanId !== undefined,
      link: undefined,
      shape: this.#shape(requestKey(message), () => requestShape(message)),
      startMs: receivedAt,
      endMs: receivedAt + durationMs,
      attributes:
        http.status(status) +
        errorType(failed ? (code ?? String(status)) : undefined) +
        pullcord.requestId(message.requestId) +
        pullcord.runId(message.runId) +
        pullcord.outcome(message.outcome ?? code) +
        pullcord.reason(reason === '' ? undefined : reason),
      // The code of the answer says it.
      failure: failed ? '' : undefined,
    });
  }

  /** A span `invoke_agent` of the conventions for generative AI. */
  #attempt({ trace, message, startMs, isNested }: OfRun<'attempt', AttemptMessage>): string {
    const { project, trigger, plugin, result, usage, cost, durationMs = 0 } = message;
    const failed = hasFailed(message);
    return spanJson({
      trace,
      ...placeOf(trace, isNested),
      shape: this.#shape(`${plugin}\n${project}\n${trigger}`, () => attemptShape(message)),
      startMs,
      endMs: startMs + durationMs,
      attributes:
        genAi.conversation(message.sessionId) +
        genAi.model(usage?.model) +
        genAi.inputTokens(usage?.inputTokens) +
        genAi.outputTokens(usage?.outputTokens) +
        genAi.cachedTokens(usage?.cachedTokens) +
        genAi.reasoningTokens(usage?.reasoningTokens) +
        errorType(failed ? (result === 'retry' ? 'attempt_failed' : 'run_failed') : undefined) +
        pullcord.runId(message.runId) +
        pullcord.requestId(message.requestId) +
        pullcord.attempt(message.attempt) +
        pullcord.result(result) +
        pullcord.costAmount(cost?.amount) +
        pullcord.costCurrency(cost?.currency),
      failure: failed ? (message.failure ?? '') : undefined,
    });
  }

  /** An HTTP client span. */
  #callback({ trace, message, startMs, isNested }: OfRun<'callback', CallbackMessage>): string {
    const { host, project, trigger, status, attempt, durationMs = 0 } = message;
    const failed = hasFailed(message);
    return spanJson({
      trace,
      ...placeOf(trace, isNested),
      shape: this.#shape(`${host}\n${project}\n${trigger}\n`, () => callbackShape(message)),
      startMs,
      endMs: startMs + durationMs,
      attributes:
        http.status(status) +
        http.resendCount(attempt > 1 ? attempt - 1 : undefined) +
        errorType(failed ? String(status ?? message.failure ?? '_OTHER') : undefined) +
        pullcord.runId(message.runId) +
        pullcord.requestId(message.requestId) +
        pullcord.callbackAttempt(attempt) +
        pullcord.callbackResult(message.result),
      failure: failed ? (message.failure ?? '') : undefined,
    });
  }

  /** @param key differs where the shape does */
  #shape(key: string, make: () => SpanShape): SpanShape {
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const shape = make();
    this.#shapes.set(key, shape);
    return shape;
  }
}

/** None of its parts has a line break. */
function requestKey({ method, path, host, ip, project, trigger }: RequestMessage): string {
  return `${method}\n${path}\n${host ?? ''}\n${ip}\n${project ?? ''}\n${trigger ?? ''}`;
}

function requestShape({ method, path, host, ip, project, trigger }: RequestMessage): SpanShape {
  const known = knownMethods.has(method) ? method : undefined;
  const route = routeOf(path);
  const [address, port] = hostParts(host);
  return shapeOf(`${known ?? 'HTTP'}${route === undefined ? '' : ` ${route}`}`, spanKinds.server, [
    http.method(known ?? '_OTHER'),
    http.scheme('http'),
    http.path(path),
    http.route(route),
    http.serverAddress(address),
    http.serverPort(port),
    http.clientAddress(ip),
    pullcord.project(project),
    pullcord.trigger(trigger),
  ]);
}

function attemptShape({ project, trigger, plugin }: AttemptMessage): SpanShape {
  return shapeOf(`invoke_agent ${trigger}`, spanKinds.client, [
    genAi.operation('invoke_agent'),
    genAi.provider(plugin),
    genAi.agent(trigger),
    pullcord.project(project),
    pullcord.trigger(trigger),
    pullcord.plugin(plugin),
  ]);
}

/** The path of the receiver may hold a token, so that `url.full` is left out. */
function callbackShape({ host, project, trigger }: CallbackMessage): SpanShape {
  const [address, port] = hostParts(host);
  return shapeOf('POST', spanKinds.client, [
    http.method('POST'),
    http.serverAddress(address),
    http.serverPort(port),
    pullcord.project(project),
    pullcord.trigger(trigger),
  ]);
}

/** A span that the request outlives is its child; any other is the child of the request's own parent, and linked to the request. */
function placeOf(trace: TraceContext, isNested: boolean) {
  const { parentSpanId, firedBy } = trace;
  if (isNested && firedBy !== undefined)
    return { parentSpanId: firedBy.spanId, isParentRemote: false, link: undefined };
  return { parentSpanId, isParentRemote: parentSpanId !== undefined, link: firedBy };
}

const address = /\/project\/[^/]+\/trigger\/[^/]+(?:\/(token)|\/run\/[^/]+(\/completion)?)?$/;

/** The route that a path has; undefined if it has none. Without the base path, so that its names stay the same where that changes. */
function routeOf(path: string): string | undefined {
  const match = address.exec(path);
  if (match === null) return undefined;
  const [whole, token, completion] = match;
  const trigger = '/project/{projectId}/trigger/{key}';
  if (token !== undefined) return `${trigger}/token`;
  if (completion !== undefined) return `${trigger}/run/{runId}/completion`;
  return /\/run\/[^/]+$/.test(whole) ? `${trigger}/run/{runId}` : trigger;
}

const hostFormat = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?$/i;

/** Name and port of a `Host`; callers may write anything there. */
function hostParts(host: string | undefined): readonly [string | undefined, number | undefined] {
  const [, name, port] = hostFormat.exec(host ?? '') ?? [];
  return [name?.replace(/^\[|\]$/g, ''), port === undefined ? undefined : Number(port)];
}
