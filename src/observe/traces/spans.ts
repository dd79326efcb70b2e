import type { AttemptMessage, CallbackMessage, RequestMessage, TraceContext } from '../../contract/index.ts';
import { knownMethods } from './conventions.ts';
import { integerAttribute, numberAttribute, spanJson, spanKinds, textAttribute } from './otlp-json.ts';

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

/** The span of a record as JSON. */
export function spanOf(record: SpanRecord): string {
  switch (record.kind) {
    case 'request':
      return requestSpan(record.trace, record.message);
    case 'attempt':
      return attemptSpan(record);
    case 'callback':
      return callbackSpan(record);
  }
}

/** An HTTP server span. */
function requestSpan(trace: TraceContext, message: RequestMessage): string {
  const { method, path, receivedAt, durationMs = 0, status, code, host } = message;
  const known = knownMethods.has(method) ? method : undefined;
  const route = routeOf(path);
  const [address, port] = hostParts(host);
  const failed = hasFailed(message);
  return spanJson({
    trace,
    parentSpanId: trace.parentSpanId,
    isParentRemote: trace.parentSpanId !== undefined,
    link: undefined,
    name: `${known ?? 'HTTP'}${route === undefined ? '' : ` ${route}`}`,
    kind: spanKinds.server,
    startMs: receivedAt,
    endMs: receivedAt + durationMs,
    attributes:
      textAttribute('http.request.method', known ?? '_OTHER') +
      textAttribute('url.scheme', 'http') +
      textAttribute('url.path', path) +
      textAttribute('http.route', route) +
      integerAttribute('http.response.status_code', status) +
      textAttribute('error.type', failed ? (code ?? String(status)) : undefined) +
      textAttribute('server.address', address) +
      integerAttribute('server.port', port) +
      textAttribute('client.address', message.ip) +
      textAttribute('pullcord.request.id', message.requestId) +
      textAttribute('pullcord.project', message.project) +
      textAttribute('pullcord.trigger', message.trigger) +
      textAttribute('pullcord.run.id', message.runId) +
      textAttribute('pullcord.outcome', message.outcome ?? code) +
      textAttribute('pullcord.reason', message.reason === '' ? undefined : message.reason),
    // The code of the answer says it.
    failure: failed ? '' : undefined,
  });
}

/** A span `invoke_agent` of the conventions for generative AI. */
function attemptSpan({ trace, message, startMs, isNested }: OfRun<'attempt', AttemptMessage>): string {
  const { trigger, result, usage, cost, durationMs = 0 } = message;
  const failed = hasFailed(message);
  return spanJson({
    trace,
    ...placeOf(trace, isNested),
    name: `invoke_agent ${trigger}`,
    kind: spanKinds.client,
    startMs,
    endMs: startMs + durationMs,
    attributes:
      textAttribute('gen_ai.operation.name', 'invoke_agent') +
      textAttribute('gen_ai.provider.name', message.plugin) +
      textAttribute('gen_ai.agent.name', trigger) +
      textAttribute('gen_ai.conversation.id', message.sessionId) +
      textAttribute('gen_ai.response.model', usage?.model) +
      integerAttribute('gen_ai.usage.input_tokens', usage?.inputTokens) +
      integerAttribute('gen_ai.usage.output_tokens', usage?.outputTokens) +
      integerAttribute('gen_ai.usage.cache_read.input_tokens', usage?.cachedTokens) +
      integerAttribute('gen_ai.usage.reasoning.output_tokens', usage?.reasoningTokens) +
      textAttribute('error.type', failed ? (result === 'retry' ? 'attempt_failed' : 'run_failed') : undefined) +
      textAttribute('pullcord.run.id', message.runId) +
      textAttribute('pullcord.project', message.project) +
      textAttribute('pullcord.trigger', trigger) +
      textAttribute('pullcord.request.id', message.requestId) +
      textAttribute('pullcord.plugin', message.plugin) +
      integerAttribute('pullcord.attempt', message.attempt) +
      textAttribute('pullcord.result', result) +
      numberAttribute('pullcord.cost.amount', cost?.amount) +
      textAttribute('pullcord.cost.currency', cost?.currency),
    failure: failed ? (message.failure ?? '') : undefined,
  });
}

/** An HTTP client span. The path of the receiver may hold a token, so that `url.full` is left out. */
function callbackSpan({ trace, message, startMs, isNested }: OfRun<'callback', CallbackMessage>): string {
  const { status, attempt, durationMs = 0 } = message;
  const [address, port] = hostParts(message.host);
  const failed = hasFailed(message);
  return spanJson({
    trace,
    ...placeOf(trace, isNested),
    name: 'POST',
    kind: spanKinds.client,
    startMs,
    endMs: startMs + durationMs,
    attributes:
      textAttribute('http.request.method', 'POST') +
      textAttribute('server.address', address) +
      integerAttribute('server.port', port) +
      integerAttribute('http.response.status_code', status) +
      integerAttribute('http.request.resend_count', attempt > 1 ? attempt - 1 : undefined) +
      textAttribute('error.type', failed ? String(status ?? message.failure ?? '_OTHER') : undefined) +
      textAttribute('pullcord.run.id', message.runId) +
      textAttribute('pullcord.project', message.project) +
      textAttribute('pullcord.trigger', message.trigger) +
      textAttribute('pullcord.request.id', message.requestId) +
      integerAttribute('pullcord.callback.attempt', attempt) +
      textAttribute('pullcord.callback.result', message.result),
    failure: failed ? (message.failure ?? '') : undefined,
  });
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
