import { SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import t, { type Test } from 'tap';
import { type AttemptMessage, channels, type RequestMessage, type TraceContext } from '../../src/contract/index.ts';
import { requestMessage } from '../../src/http/request-message.ts';
import { traceSettings } from '../../src/observe/traces/settings.ts';
import { Traces } from '../../src/observe/traces/traces.ts';
import { Tracer } from '../../src/runtime/tracing/tracer.ts';
import {
  type CollectedSpan,
  decodedRequest,
  parsedRequest,
  plainOf,
  spansIn,
  TestCollector,
} from '../support/collector.ts';
import { basicFiles, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { listen } from '../support/listen.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
const schemaUrl = 'https://opentelemetry.io/schemas/1.41.0';

function tracesFor(environment: NodeJS.ProcessEnv) {
  const { settings } = traceSettings(environment);
  if (settings === undefined) throw new Error('traces are off');
  return settings;
}

/** An agent that answers with its usage, or with the status that its URL names. */
async function agentFor(t: Test) {
  const seen: (string | undefined)[] = [];
  const url = await listen(t, (request, response) => {
    seen.push(request.headers.traceparent?.toString());
    const status = Number(/\d+$/.exec(request.url ?? '')?.[0] ?? 200);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end('{"answer":"s3cret answer","usage":{"in":7,"out":5}}');
  });
  return { url, seen };
}

const usage = '{ "inputTokens": usage.in, "outputTokens": usage.out, "model": "gpt-oss" }';

async function filesFor(t: Test) {
  const agent = await agentFor(t);
  const run = { uses: 'http', with: { url: agent.url, usage } };
  const failing = { uses: 'http', with: { url: `${agent.url}/500` } };
  const files = {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { trustProxy: '127.0.0.1' } }),
    'triggers/ask.yaml': triggerFile('ask', { run }),
    'triggers/later.yaml': triggerFile('later', { run, respond: { uses: 'accepted' } }),
    'triggers/fails.yaml': triggerFile('fails', { run: failing }),
  };
  return { files, agent };
}

async function start(t: Test, environment: NodeJS.ProcessEnv = {}) {
  const collector = await TestCollector.start(t);
  const { files, agent } = await filesFor(t);
  const gateway = await startTestGateway(t, files, { traces: tracesFor({ ...collector.environment, ...environment }) });
  return { ...gateway, collector, agent };
}

function spanNamed(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter((span) => span.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} spans are named ${name}`);
  return found[0];
}

const requestName = 'POST /project/{projectId}/trigger/{key}';

t.test('a request that waits for its run is the parent of the attempt', async (t) => {
  const { collector, gateway, fire, agent, url } = await start(t, {
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  });
  const body = { instruction: 's3cret instruction', sessionId: 'session 7' };
  const answer = await fire('ask', body, { headers: { traceparent, tracestate: 'a=1' }, path: '?token=s3cret' });
  t.equal(answer.status, 200);
  await gateway.close();
  t.equal(collector.spans.length, 2);
  const request = spanNamed(collector.spans, requestName);
  const attempt = spanNamed(collector.spans, 'invoke_agent ask');
  const { port } = new URL(url);
  t.match(request, {
    ...caller,
    spanId: /^[0-9a-f]{16}$/,
    parentSpanId: caller.spanId,
    kind: 'SERVER',
    status: undefined,
    links: [],
    traceState: 'a=1',
  });
  t.strictSame(request.attributes, {
    'http.request.method': 'POST',
    'url.scheme': 'http',
    'url.path': '/api/v1.0/project/support/trigger/ask',
    'http.route': '/project/{projectId}/trigger/{key}',
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': Number(port),
    'client.address': '127.0.0.1',
    'pullcord.request.id': answer.headers.get('x-request-id'),
    'pullcord.project': 'support',
    'pullcord.trigger': 'ask',
    'pullcord.run.id': answer.body.runId,
    'pullcord.outcome': 'accepted',
  });
  t.match(attempt, {
    traceId: caller.traceId,
    parentSpanId: request.spanId,
    kind: 'CLIENT',
    status: undefined,
    links: [],
    traceState: 'a=1',
  });
  t.strictSame(attempt.attributes, {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.provider.name': 'http',
    'gen_ai.agent.name': 'ask',
    'gen_ai.conversation.id': 'session 7',
    'gen_ai.response.model': 'gpt-oss',
    'gen_ai.usage.input_tokens': 7,
    'gen_ai.usage.output_tokens': 5,
    'pullcord.run.id': answer.body.runId,
    'pullcord.project': 'support',
    'pullcord.trigger': 'ask',
    'pullcord.request.id': answer.headers.get('x-request-id'),
    'pullcord.plugin': 'http',
    'pullcord.attempt': 1,
    'pullcord.result': 'succeeded',
  });
  t.strictSame(agent.seen, [`00-${caller.traceId}-${attempt.spanId}-01`]);
  // Sampled, and whether the parent is of another service.
  t.strictSame([request.flags, attempt.flags], [0x301, 0x101]);
  t.ok(request.startNs <= attempt.startNs && attempt.startNs <= attempt.endNs && request.startNs < request.endNs);
  t.ok(Math.abs(Number(request.startNs / 1_000_000n) - Date.now()) < 600_000);
  for (const span of collector.spans) {
    t.equal(span.schemaUrl, schemaUrl);
    t.match(span.resource, {
      'service.name': 'pullcord',
      'service.version': /^\d/,
      'service.instance.id': /\S/,
      'deployment.environment.name': 'test',
    });
  }
  const [sent] = collector.exports;
  t.match(sent, { path: '/v1/traces', headers: { 'content-type': 'application/json', 'user-agent': /^pullcord\// } });
  t.notMatch(collector.exports.map(({ json }) => json).join(), /s3cret|pc_website/);
});

t.test('a run that outlives its request is linked to it, and a child of its caller', async (t) => {
  const { collector, gateway, fire } = await start(t);
  const answer = await fire('later', {}, { headers: { traceparent } });
  t.equal(answer.status, 202);
  await until(() => collector.spans.length === 2);
  const request = spanNamed(collector.spans, requestName);
  const attempt = spanNamed(collector.spans, 'invoke_agent later');
  t.match(attempt, {
    traceId: caller.traceId,
    parentSpanId: caller.spanId,
    links: [{ traceId: caller.traceId, spanId: request.spanId }],
  });
  // Without a caller in a trace it has no parent.
  await fire('later', {});
  await until(() => collector.spans.length === 4);
  const [root, alone] = collector.spans.slice(2).toSorted((one) => (one.name === requestName ? -1 : 1));
  t.match(alone, { parentSpanId: undefined, links: [{ traceId: root?.traceId, spanId: root?.spanId }] });
  t.match(root, { parentSpanId: undefined, flags: 0x101 });
  t.equal(alone?.traceId, root?.traceId);
  t.not(alone?.traceId, caller.traceId);
  await gateway.close();
});

t.test('a stranger is in no trace, and cannot have its spans exported', async (t) => {
  const collector = await TestCollector.start(t);
  const { files, agent } = await filesFor(t);
  const trusting = { trustProxy: ['192.0.2.0/24'] };
  for (const server of [{}, trusting]) {
    const traces = tracesFor({ ...collector.environment, OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    const all = { ...files, 'gateway.yaml': gatewayFile({ server }) };
    const { gateway, fire } = await startTestGateway(t, all, { traces });
    // What it says of a proxy changes nothing: it is not the direct peer.
    const headers = { traceparent, tracestate: 'a=1', 'x-forwarded-for': '192.0.2.7' };
    t.equal((await fire('ask', {}, { headers })).status, 200);
    await gateway.close();
  }
  t.equal(collector.requests, 0);
  t.equal(agent.seen.length, 2);
  for (const seen of agent.seen) t.match(seen, new RegExp(`^00-(?!${caller.traceId})[0-9a-f]{32}-[0-9a-f]{16}-00$`));
});

t.test('what fails is exported although it is not sampled, and nothing else', async (t) => {
  const { collector, gateway, fire, agent } = await start(t, { OTEL_TRACES_SAMPLER: 'always_off' });
  await fire('ask', {});
  await fire('ask', {}, { secret: 'pc_unknown' });
  const answer = await fire('fails', {});
  t.equal(answer.status, 502);
  await gateway.close();
  t.equal(collector.spans.length, 2);
  const request = spanNamed(collector.spans, requestName);
  const attempt = spanNamed(collector.spans, 'invoke_agent fails');
  t.match(request, {
    status: { code: 'ERROR' },
    flags: 0x100,
    attributes: { 'error.type': answer.body.code, 'http.response.status_code': 502 },
  });
  t.match(attempt, {
    parentSpanId: request.spanId,
    status: { code: 'ERROR', message: 'agent answered 500' },
    attributes: { 'error.type': 'run_failed', 'pullcord.result': 'failed' },
  });
  t.match(agent.seen.at(-1), /-00$/);
});

t.test('a refused request is no error, and a path that names nothing has no route', async (t) => {
  const { collector, gateway, fire, url } = await start(t);
  await fire('ask', {}, { secret: 'pc_unknown' });
  await fetch(`${url}/${'x'.repeat(5000)}`, { method: 'PROPFIND' });
  await fetch(`${url}/api/v1.0/project/support/trigger/ask/run/1`);
  await gateway.close();
  const [refused, unknown, run] = collector.spans;
  t.match(refused, {
    name: requestName,
    status: undefined,
    attributes: { 'http.response.status_code': 401, 'pullcord.outcome': 'unauthorized' },
  });
  t.match(unknown, { name: 'HTTP', attributes: { 'http.request.method': '_OTHER', 'http.response.status_code': 404 } });
  t.equal(String(unknown?.attributes['url.path']).length, 1024);
  t.notOk('http.route' in Object(unknown?.attributes));
  t.match(run, { name: 'GET /project/{projectId}/trigger/{key}/run/{runId}' });
});

t.test('off, nothing is exported, and the trace of a trusted caller is passed on unchanged', async (t) => {
  const { files, agent } = await filesFor(t);
  const { gateway, fire, adminUrl } = await startTestGateway(t, files);
  const answer = await fire('ask', {}, { headers: { traceparent } });
  await fire('ask', {});
  t.strictSame(agent.seen, [traceparent, undefined]);
  const shown = await (await fetch(`${adminUrl}/runs/${answer.body.runId}`)).json();
  t.match(shown, { traceId: caller.traceId });
  await gateway.close();
});

t.test('an operator sees the trace of a run; a replay has a trace of its own that is linked', async (t) => {
  const { collector, gateway, fire, adminUrl } = await start(t);
  const { body } = await fire('ask', {}, { headers: { traceparent } });
  const read = async (path: string, method = 'GET') => (await fetch(`${adminUrl}${path}`, { method })).json();
  t.match(await read(`/runs/${body.runId}`), { traceId: caller.traceId });
  t.match(await read('/runs'), { runs: [{ traceId: caller.traceId }] });
  const replay = await read(`/runs/${body.runId}/replay`, 'POST');
  t.match(replay, { traceId: /^[0-9a-f]{32}$/ });
  t.not(Object(replay).traceId, caller.traceId);
  await until(() => collector.spans.length === 3);
  const request = spanNamed(collector.spans, requestName);
  const replayed = collector.spans.find(({ traceId }) => traceId === Object(replay).traceId);
  t.match(replayed, { parentSpanId: undefined, links: [{ traceId: caller.traceId, spanId: request.spanId }] });
  await gateway.close();
});

t.test('it means the same as what the official exporter makes of these spans', async (t) => {
  const { collector, gateway, fire } = await start(t);
  await fire('ask', { sessionId: 'ünï "quoted" \\ \u2028 🐙' }, { headers: { traceparent, tracestate: 'a=1' } });
  await fire('later', {});
  await fire('fails', {});
  await until(() => collector.spans.length === 6);
  await gateway.close();
  for (const { json } of collector.exports) {
    const ours = normalized(parsedRequest(json));
    const spans = readableSpans(spansIn(json));
    const official = Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []).toString();
    t.strictSame(ours, normalized(plainOf(official)), 'as JSON');
    t.strictSame(ours, normalized(decodedRequest(ProtobufTraceSerializer.serializeRequest(spans))), 'as protobuf');
  }
});

/** Spans of the SDK that say the same as these. */
function readableSpans(spans: readonly CollectedSpan[]): ReadableSpan[] {
  const resource = resourceFromAttributes(spans[0]?.resource ?? {}, { schemaUrl });
  const version = String(spans[0]?.resource['service.version']);
  const instrumentationScope = { name: 'pullcord', version, schemaUrl };
  return spans.map((span): ReadableSpan => {
    const { traceId, spanId, traceState, name, attributes, links, status } = span;
    const context = (ids: { traceId: string; spanId: string }, state?: string) => ({
      ...ids,
      traceFlags: span.flags & 0xff,
      ...(state !== undefined && {
        traceState: { serialize: () => state, get: () => undefined, set: none, unset: none },
      }),
    });
    const time = (ns: bigint): [number, number] => [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
    const isRemote = (span.flags & 0x200) !== 0;
    return {
      name,
      kind: span.kind === 'SERVER' ? 1 : 2,
      spanContext: () => context({ traceId, spanId }, traceState),
      ...(span.parentSpanId !== undefined && {
        parentSpanContext: { ...context({ traceId, spanId: span.parentSpanId }), isRemote },
      }),
      startTime: time(span.startNs),
      endTime: time(span.endNs),
      status:
        status === undefined
          ? { code: SpanStatusCode.UNSET }
          : { code: SpanStatusCode.ERROR, ...(status.message !== undefined && { message: status.message }) },
      attributes,
      links: links.map((link) => ({ context: context(link) })),
      events: [],
      duration: time(span.endNs - span.startNs),
      ended: true,
      resource,
      instrumentationScope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  });
}

function none(): never {
  throw new Error('not called');
}

/** Without what means nothing: defaults of protocol buffers that are written or not, and the order of attributes. */
function normalized(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(normalized);
    return items.every((item) => 'key' in Object(item))
      ? items.toSorted((one, other) => (Object(one).key < Object(other).key ? -1 : 1))
      : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(
    ([key, item]) => !isDefault(item) && !(key === 'flags' && isOfLink(value)),
  );
  return Object.fromEntries(members.map(([key, item]) => [key, normalized(item)]));
}

function isDefault(item: unknown): boolean {
  return (
    item === 0 ||
    item === '' ||
    (Array.isArray(item) && item.length === 0) ||
    item === 'STATUS_CODE_UNSET' ||
    (typeof item === 'object' && item !== null && normalizedIsEmpty(item))
  );
}

function normalizedIsEmpty(item: object): boolean {
  return Object.values(item).every(isDefault);
}

/** Whether the linked span was sampled: optional, and the gateway does not store it. */
function isOfLink(value: object): boolean {
  return 'spanId' in value && !('name' in value);
}

/** Traces of a gateway that only publishes. */
function publishing(t: Test, environment: NodeJS.ProcessEnv, lines: LogLine[] = []) {
  const gateway = { node: 'one' };
  const settings = tracesFor(environment);
  const traces = new Traces(settings, { gateway, log: recordingLog(lines), version: '1.2.3', firstPauseMs: 1 });
  t.teardown(() => traces.close());
  const tracer = new Tracer(settings.sampler);
  const publish = (changes: Partial<RequestMessage> = {}) => {
    const arrived = { requestId: 'r', receivedAt: Date.now(), method: 'POST', path: '/', host: undefined, ip: '::1' };
    const message = requestMessage(gateway, { ...arrived, trace: tracer.ofRequest(undefined) });
    channels.request.start.publish(message);
    channels.request.end.publish(Object.assign(message, { status: 200, durationMs: 1 }, changes));
  };
  return { traces, publish, tracer, gateway, lines };
}

t.test('exports are batches, which are compressed if the collector is to get that', async (t) => {
  const collector = await TestCollector.start(t);
  const { traces, publish } = publishing(t, {
    ...collector.environment,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20s3cret',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '100',
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
  });
  for (let count = 0; count < 250; count += 1) publish();
  await until(() => collector.spans.length === 200);
  await traces.close();
  t.equal(collector.spans.length, 250);
  t.strictSame(
    collector.exports.map(({ headers }) => [headers['content-encoding'], headers.authorization]),
    Array(3).fill(['gzip', 'Bearer s3cret']),
  );
  t.equal(new Set(collector.spans.map(({ spanId }) => spanId)).size, 250);
  t.equal(traces.dropped, 0);
});

t.test('the queue is bounded: what has no room is dropped and counted', async (t) => {
  const collector = await TestCollector.start(t);
  const { traces, publish, lines } = publishing(t, {
    ...collector.environment,
    OTEL_BSP_MAX_QUEUE_SIZE: '50',
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
  });
  for (let count = 0; count < 10_000; count += 1) publish();
  t.equal(traces.dropped, 9950);
  await traces.close();
  t.equal(collector.spans.length, 50);
  t.strictSame(
    lines.map(({ message }) => message),
    ['spans were dropped'],
  );
});

t.test('a collector that is busy is asked again; what it refuses is dropped', async (t) => {
  const collector = await TestCollector.start(t);
  const statuses = [429, 502, 503, 504];
  collector.intercept = (response, nth) => {
    const status = statuses[nth - 1];
    if (status === undefined) return false;
    response.writeHead(status, { 'retry-after': '0' }).end();
    return true;
  };
  const { traces, publish, lines } = publishing(t, collector.environment);
  publish();
  await until(() => collector.spans.length === 1);
  t.equal(collector.requests, 5);
  t.strictSame([traces.dropped, lines.length], [0, 0]);
  for (const status of [400, 401, 404, 500]) {
    const before = collector.requests;
    collector.intercept = (response) => {
      response.writeHead(status).end('s3cret');
      return true;
    };
    const dropped = traces.dropped;
    publish();
    await until(() => traces.dropped === dropped + 1);
    t.equal(collector.requests, before + 1, `${status} is not asked again`);
  }
  // A minute has one line of each kind.
  t.strictSame(
    lines.map(({ message, fields }) => [message, Object(fields).reason ?? Object(fields).dropped]),
    [
      ['the collector does not take spans', 'answered 400'],
      ['spans were dropped', 1],
    ],
  );
  t.notMatch(JSON.stringify(lines), 's3cret');
});

t.test('a collector that refuses some spans is reported, and they are not sent again', async (t) => {
  const collector = await TestCollector.start(t);
  collector.intercept = (response) => {
    response.end('{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}');
    return true;
  };
  const { traces, publish, lines } = publishing(t, collector.environment);
  publish();
  await until(() => lines.length === 1);
  t.match(lines, [{ message: 'the collector has refused spans', fields: { spans: 3, reason: 'too old' } }]);
  await traces.close();
  t.equal(collector.requests, 1);
});

t.test('a collector that is away or silent delays neither requests nor the stop', async (t) => {
  const silent = await listen(t, () => {});
  const away = 'http://127.0.0.1:1';
  for (const url of [silent, away]) {
    const { files } = await filesFor(t);
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '50',
    };
    const { gateway, fire, log } = await startTestGateway(t, files, { traces: tracesFor(environment) });
    for (let count = 0; count < 20; count += 1) t.equal((await fire('ask', {})).status, 200);
    await gateway.close();
    t.match(
      log.filter(({ message }) => message.startsWith('the collector')),
      [{ message: 'the collector does not take spans' }],
    );
  }
});

t.test('the console gets each span as a line of the log', async (t) => {
  const { traces, publish, lines } = publishing(t, { OTEL_TRACES_EXPORTER: 'console' });
  publish();
  await traces.close();
  t.match(lines, [{ level: 'info', message: 'span', fields: { span: { name: 'POST', kind: 2 } } }]);
});

t.test('spans of other gateways of the process, and places that are not its own, are not exported', async (t) => {
  const collector = await TestCollector.start(t);
  const { traces, publish, tracer } = publishing(t, collector.environment);
  publish({ gateway: { node: 'one' } });
  publish({ trace: undefined });
  const remote = new Tracer(undefined).ofRequest({ ...caller, flags: 1, state: undefined });
  t.match(remote, { isRemote: true });
  const attempt: Partial<AttemptMessage> & { trace: TraceContext | undefined } = {
    trace: tracer.ofRun({ id: '', trace: undefined }),
  };
  channels.attempt.end.publish({ ...attempt, gateway: { node: 'two' } } as AttemptMessage);
  await traces.close();
  t.equal(collector.requests, 0);
});
