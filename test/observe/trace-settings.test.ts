import t from 'tap';
import { traceSettings } from '../../src/observe/traces/settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function settingsOf(environment: NodeJS.ProcessEnv) {
  const { settings, warnings } = traceSettings(environment);
  const url = settings?.collector?.url.href;
  return { ...settings, ...settings?.collector, url, isOn: settings !== undefined, warnings };
}

t.test('traces are exported only if the environment says where to', async (t) => {
  const off: NodeJS.ProcessEnv[] = [
    {},
    { OTEL_SERVICE_NAME: 'gateway', OTEL_TRACES_SAMPLER: 'always_on' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { ...endpoint, OTEL_SDK_DISABLED: 'true' },
    { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
  ];
  for (const environment of off)
    t.match(settingsOf(environment), { isOn: false, warnings: [] }, JSON.stringify(environment));
  t.match(settingsOf(endpoint), { isOn: true, console: false, warnings: [] });
  t.match(settingsOf({ ...endpoint, OTEL_SDK_DISABLED: 'false' }), { isOn: true });
  t.match(settingsOf({ OTEL_TRACES_EXPORTER: 'otlp' }), { url: 'http://localhost:4318/v1/traces' });
  t.match(settingsOf({ OTEL_TRACES_EXPORTER: 'console' }), { console: true, collector: undefined });
  t.match(settingsOf({ OTEL_TRACES_EXPORTER: 'otlp, console' }), {
    console: true,
    url: 'http://localhost:4318/v1/traces',
  });
});

t.test('the path is appended to the endpoint of all signals alone', async (t) => {
  const general = (url: string) => settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url }).url;
  t.equal(general('http://collector:4318'), 'http://collector:4318/v1/traces');
  t.equal(general('http://collector:4318/'), 'http://collector:4318/v1/traces');
  t.equal(general('https://api.example.com/otlp/'), 'https://api.example.com/otlp/v1/traces');
  const ofTraces = (url: string) => settingsOf({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }).url;
  t.equal(ofTraces('http://other:4318'), 'http://other:4318/');
  t.equal(ofTraces('http://other:4318/custom/v1/traces?a=1'), 'http://other:4318/custom/v1/traces?a=1');
});

t.test('headers are percent-decoded, and those of traces replace those of all signals', async (t) => {
  const headersOf = (environment: NodeJS.ProcessEnv) => settingsOf({ ...endpoint, ...environment }).headers;
  const general = { OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20s3cret, x-tenant = a%2Cb ,' };
  t.strictSame(headersOf(general), { authorization: 'Bearer s3cret', 'x-tenant': 'a,b' });
  t.strictSame(headersOf({ ...general, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-key=1=2' }), { 'x-key': '1=2' });
  t.strictSame(headersOf({}), {});
});

t.test('what is wrong is reported without secrets, and the default is used instead', async (t) => {
  const cases: readonly (readonly [NodeJS.ProcessEnv, object, RegExp])[] = [
    [
      { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=%zzs3cret' },
      { headers: {} },
      /OTEL_EXPORTER_OTLP_HEADERS is not a list/,
    ],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 's3cret' }, { headers: {} }, /OTEL_EXPORTER_OTLP_HEADERS is not a list/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=s3cret%0A' }, { headers: { a: '1' } }, /header that HTTP cannot carry/],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, { isOn: false }, /OTEL_EXPORTER_OTLP_PROTOCOL must be http\/json/],
    [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, { isOn: true }, /sending http\/json/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, { isOn: false }, /must be a URL that begins with http/],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '::' }, { isOn: false }, /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be a URL/],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, { isOn: false }, /exporter that is not supported/],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '10s' }, { timeoutMs: 10_000 }, /OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number/],
    [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' }, { gzip: false }, /must be gzip or none/],
    [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, { isOn: true }, /sampler that is not supported/],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, { isOn: true }, /a number from 0 to 1/],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: '-1' }, { queue: { size: 2048 } }, /OTEL_BSP_MAX_QUEUE_SIZE must be/],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=%' }, { resource: {} }, /OTEL_RESOURCE_ATTRIBUTES is not a list/],
  ];
  for (const [environment, expected, warning] of cases) {
    const { warnings, ...found } = settingsOf({ ...endpoint, ...environment });
    t.match(found, expected, JSON.stringify(environment));
    t.match(warnings, [warning], JSON.stringify(environment));
    t.notMatch(warnings.join(), 's3cret');
  }
});

t.test('the other variables', async (t) => {
  t.match(settingsOf(endpoint), {
    timeoutMs: 10_000,
    gzip: false,
    queue: { size: 2048, batch: 512, delayMs: 5000 },
    resource: {},
  });
  const environment = {
    ...endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '500',
    OTEL_BSP_SCHEDULE_DELAY: '250',
    OTEL_SERVICE_NAME: 'gateway',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=prod%20eu',
  };
  t.match(settingsOf(environment), {
    timeoutMs: 2500,
    gzip: true,
    // A batch is not larger than the queue.
    queue: { size: 100, batch: 100, delayMs: 250 },
    resource: { 'service.name': 'gateway', 'deployment.environment.name': 'prod eu' },
    warnings: [],
  });
  t.match(settingsOf({ ...environment, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1000' }), { timeoutMs: 1000 });
});

t.test('the sampler is the one that is named', async (t) => {
  const id = `${'0'.repeat(19)}${'8'.repeat(13)}`;
  const decides = (sampler: string | undefined, argument?: string) => {
    const { settings } = traceSettings({
      ...endpoint,
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: argument,
    });
    return [settings?.sampler(id, undefined), settings?.sampler(id, 0), settings?.sampler(id, 1)];
  };
  t.strictSame(decides(undefined), [true, false, true]);
  t.strictSame(decides('parentbased_always_on'), [true, false, true]);
  t.strictSame(decides('parentbased_always_off'), [false, false, true]);
  t.strictSame(decides('always_on'), [true, true, true]);
  t.strictSame(decides('always_off'), [false, false, false]);
  t.strictSame(decides('traceidratio', '0.4'), [false, false, false]);
  t.strictSame(decides('traceidratio', '0.6'), [true, true, true]);
  t.strictSame(decides('traceidratio'), [true, true, true]);
  t.strictSame(decides('parentbased_traceidratio', '0.4'), [false, false, true]);
  t.strictSame(decides('PARENTBASED_TRACEIDRATIO', '0.6'), [true, false, true]);
});
