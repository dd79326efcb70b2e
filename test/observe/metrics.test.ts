import { once } from 'node:events';
import { createServer } from 'node:http';
import t, { type Test } from 'tap';
import { MergedMetrics } from '../../src/cli/serve/merged-metrics.ts';
import { channels, type RequestMessage } from '../../src/contract/index.ts';
import { acceptedFormat, exposition } from '../../src/observe/exposition.ts';
import { Histogram } from '../../src/observe/histogram.ts';
import { metricCatalogue } from '../../src/observe/metric-catalogue.ts';
import type { MetricFamily } from '../../src/observe/metric-family.ts';
import { basicFiles, durable, gatewayFile, keyFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { parseOpenMetrics } from '../support/open-metrics.ts';
import { promtool, skipWithoutPromtool } from '../support/promtool.ts';
import { until } from '../support/until.ts';

/** Ends attempts as the instruction of a request says. */
const plugin = `
export default {
  contract: 'v1', stage: 'run', name: 'outcome', summary: 'Ends as the request says.', optionsSchema: { type: 'object' },
  create: () => ({
    execute({ input, attempt }) {
      const { instruction } = input;
      if (instruction === 'fail') return { kind: 'failed', message: 'no', retryable: false };
      if (instruction === 'retry' && attempt === 1) return { kind: 'failed', message: 'later', retryable: true };
      if (instruction === 'ask') return { kind: 'input_required', output: 'which?' };
      async function* events() { yield { kind: 'delta', text: 'a' }; return { kind: 'succeeded', output: 'a' }; }
      if (instruction === 'stream') return { kind: 'stream', events: events() };
      return { kind: 'succeeded', output: 'done' };
    },
  }),
};
`;

const expires = '2099-01-01T00:00:00Z';

async function start(t: Test, members: object = {}, more: Record<string, string> = {}): Promise<TestGateway> {
  const retry = { attempts: 2, backoff: '10ms' };
  return startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: durable, plugins: ['./outcome.js'], ...members }),
    'outcome.js': plugin,
    'triggers/ask.yaml': triggerFile('ask', { run: { uses: 'outcome', retry } }),
    ...more,
  });
}

async function scrape({ adminUrl }: TestGateway): Promise<string> {
  const answer = await fetch(`${adminUrl}/metrics`);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

const ofProcess = /^(process|nodejs)_/;

/** The series of the gateway, by name and labels. */
function seriesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !ofProcess.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** How counts changed while something happened: of histograms and summaries their counts. */
async function changes(gateway: TestGateway, act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = seriesOf(await scrape(gateway));
  await act();
  const changed: Record<string, number> = {};
  for (const [series, value] of seriesOf(await scrape(gateway))) {
    const by = value - (before.get(series) ?? 0);
    if (by !== 0 && /_total[{ ]?|_count[{ ]?/.test(series) && !series.includes('_commit_')) changed[series] = by;
  }
  return changed;
}

const asked = 'project="support",trigger="ask"';
/** What a request that is accepted changes. */
function acceptance(result: string, state = result): Record<string, number> {
  return {
    [`pullcord_requests_total{${asked},outcome="accepted",reason=""}`]: 1,
    'pullcord_request_duration_seconds_count{outcome="accepted"}': 1,
    pullcord_run_queue_seconds_count: 1,
    [`pullcord_attempt_duration_seconds_count{plugin="outcome",result="${result}"}`]: 1,
    [`pullcord_runs_finished_total{${asked},state="${state}"}`]: 1,
    [`pullcord_run_duration_seconds_count{${asked}}`]: 1,
  };
}

t.test('each metric moves when its thing happens, and only then', async (t) => {
  const gateway = await start(
    t,
    {},
    {
      'keys/website.yaml': keyFile('website', { limits: [{ requests: '20/1h', name: 'often' }] }),
      'triggers/ask.yaml': triggerFile('ask', {
        run: { uses: 'outcome', retry: { attempts: 2, backoff: '10ms' } },
        filter: [{ name: 'no-drops', uses: 'jsonata', with: { expression: 'instruction != "drop"' } }],
        recording: { rate: 1 },
      }),
    },
  );
  const { fire } = gateway;
  const changed = async (instruction: string) => {
    // Requests are recorded later.
    const { pullcord_recordings_total: _, ...others } = await changes(gateway, () => fire('ask', { instruction }));
    return others;
  };
  t.strictSame(await changes(gateway, async () => undefined), {}, 'nothing happens');
  t.strictSame(await changed('work'), acceptance('succeeded'));
  t.strictSame(await changed('fail'), acceptance('failed'));
  t.strictSame(await changed('ask'), acceptance('input_required'));
  t.strictSame(await changed('stream'), {
    ...acceptance('succeeded'),
    'pullcord_attempt_first_delta_seconds_count{plugin="outcome"}': 1,
  });
  t.strictSame(await changed('retry'), {
    ...acceptance('succeeded'),
    'pullcord_attempt_duration_seconds_count{plugin="outcome",result="retry"}': 1,
    [`pullcord_run_retries_total{${asked}}`]: 1,
  });
  t.strictSame(await changed('drop'), {
    [`pullcord_requests_total{${asked},outcome="filtered",reason="no-drops"}`]: 1,
    'pullcord_request_duration_seconds_count{outcome="filtered"}': 1,
  });
  await until(async () => (seriesOf(await scrape(gateway)).get('pullcord_recordings_total') ?? 0) >= 6);
  t.equal(seriesOf(await scrape(gateway)).get('pullcord_recordings_total'), 6);
  t.equal(seriesOf(await scrape(gateway)).get('pullcord_recordings_lost_total'), 0);
  t.strictSame(await changes(gateway, () => fire('ask', {}, { secret: 'wrong' })), {
    [`pullcord_requests_total{${asked},outcome="unauthorized",reason="unknown key"}`]: 1,
    'pullcord_request_duration_seconds_count{outcome="unauthorized"}': 1,
  });
  for (let count = 0; count < 14; count += 1) await fire('ask', { instruction: 'drop' });
  t.strictSame(await changed('work'), {
    [`pullcord_requests_total{${asked},outcome="rate_limited",reason="often"}`]: 1,
    'pullcord_request_duration_seconds_count{outcome="rate_limited"}': 1,
    [`pullcord_limits_refused_total{${asked},limit="often"}`]: 1,
  });
});

t.test('what is true of the gateway is in gauges: build, config, reloads, keys', async (t) => {
  const secrets = JSON.parse(keyFile('other')).secrets;
  const gateway = await start(
    t,
    {},
    {
      'keys/other.yaml': keyFile('other', { secrets: [{ ...secrets[0], note: 'old "one"', expires }] }),
    },
  );
  const { root } = gateway;
  const before = seriesOf(await scrape(gateway));
  t.equal(
    before.get('pullcord_key_expires_timestamp_seconds{key="other",secret="old \\"one\\""}'),
    Date.parse(expires) / 1000,
  );
  const keys = [...before.keys()].filter((series) => series.startsWith('pullcord_key_expires'));
  t.strictSame(keys.map((series) => /key="(\w+)"/.exec(series)?.[1]).sort(), ['expired', 'other']);
  const configInfo = () => `pullcord_config_info{revision="${gateway.gateway.revision}",commit="",dirty=""}`;
  t.equal(before.get(configInfo()), 1);
  const [build] = [...before.keys()].filter((series) => series.startsWith('pullcord_build_info'));
  t.equal(build, `pullcord_build_info{version="0.1.0",node_version="${process.version}"}`);
  const loadedAt = before.get('pullcord_config_last_reload_success_timestamp_seconds') ?? 0;
  t.ok(Math.abs(loadedAt - Date.now() / 1000) < 3600);
  t.notOk(before.has('pullcord_nodes'), 'an engine of one process has no nodes');

  await writeInto(root, 'broken.yaml', 'kind: Trigger\n');
  await gateway.gateway.reloader.reload();
  const refused = seriesOf(await scrape(gateway));
  t.equal(refused.get('pullcord_config_reload_ok'), 0);
  t.equal(refused.get('pullcord_config_reloads_total{outcome="rejected"}'), 1);
  t.equal(refused.get('pullcord_config_last_reload_success_timestamp_seconds'), loadedAt);
  await writeInto(root, 'broken.yaml', triggerFile('fine'));
  await gateway.gateway.reloader.reload();
  const accepted = seriesOf(await scrape(gateway));
  t.equal(accepted.get('pullcord_config_reload_ok'), 1);
  t.ok((accepted.get('pullcord_config_last_reload_success_timestamp_seconds') ?? 0) > loadedAt);
  t.equal(accepted.get(configInfo()), 1);
  t.equal([...accepted.keys()].filter((series) => series.startsWith('pullcord_config_info')).length, 1);
});

t.test('callbacks are counted by how each attempt ended', async (t) => {
  const receiver = createServer((request, response) => {
    response.writeHead(request.url === '/gone' ? 410 : 200).end();
  });
  t.teardown(() => receiver.close());
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const { port } = Object(receiver.address());
  process.env.PULLCORD_TEST_METRICS_CALLBACK = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const callback = (path: string) => ({
    callback: { url: `http://127.0.0.1:${port}${path}`, secret: { env: 'PULLCORD_TEST_METRICS_CALLBACK' } },
  });
  const gateway = await start(
    t,
    {},
    {
      'triggers/fine.yaml': triggerFile('fine', callback('/fine')),
      'triggers/gone.yaml': triggerFile('gone', callback('/gone')),
    },
  );
  for (const [trigger, result] of [
    ['fine', 'delivered'],
    ['gone', 'gone'],
  ] as const) {
    const series = `pullcord_callbacks_total{project="support",trigger="${trigger}",result="${result}"}`;
    await gateway.fire(trigger, {});
    const counted = await until(async () => seriesOf(await scrape(gateway)).get(series));
    t.equal(counted, 1);
    t.equal(seriesOf(await scrape(gateway)).get(`pullcord_callback_duration_seconds_count{result="${result}"}`), 1);
  }
});

t.test('commits of the sqlite engine are measured', async (t) => {
  const gateway = await start(t);
  const count = async (name: string) => seriesOf(await scrape(gateway)).get(name) ?? 0;
  const before = await count('pullcord_engine_commit_duration_seconds_count');
  const operations = await count('pullcord_engine_commit_operations_sum');
  await gateway.fire('ask', {});
  t.ok((await count('pullcord_engine_commit_duration_seconds_count')) > before);
  t.ok((await count('pullcord_engine_commit_operations_sum')) >= operations + 2, 'an acceptance and an end');
});

t.test('whatever callers send, the number of series stays bounded', async (t) => {
  const gateway = await start(t);
  const { fire, url } = gateway;
  const odd = async (index: number) => {
    await fire(`unknown-${index}`, {}, { secret: index % 2 === 0 ? 'wrong' : null });
    if (index % 10 > 0) return;
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'PROPFIND', 'MKCOL', 'REPORT'])
      await fetch(`${url}/api/v1.0/project/p${index}/trigger/${index}?${index}`, { method });
    await fire('ask', {}, { raw: `{${index}`, project: `support` });
    await fire('ask', {}, { project: `nobody-${index}` });
  };
  for (let index = 0; index < 20; index += 1) await odd(index);
  const before = seriesOf(await scrape(gateway));
  for (let from = 20; from < 10_000; from += 200)
    await Promise.all(Array.from({ length: 200 }, (_, index) => odd(from + index)));
  const after = seriesOf(await scrape(gateway));
  t.strictSame([...after.keys()].sort(), [...before.keys()].sort());
  t.ok(after.size < 400, `${after.size} series`);
  t.ok((after.get('pullcord_request_duration_seconds_count{outcome="unauthorized"}') ?? 0) >= 9000);
});

t.test('the lines of a histogram, in both formats', (t) => {
  const histogram = new Histogram([0.1, 1, 10]);
  histogram.observe(0.1);
  histogram.observe(0.5, 'a'.repeat(32));
  histogram.observe(0.25);
  histogram.observe(11);
  const [bucket, ...others] = histogram.samples('wait_seconds', { trigger: 'a"b\\c\nd' });
  const values = [bucket, ...others].flatMap((sample) => {
    if (sample === undefined) return [];
    return [{ ...sample, ...(sample.exemplar && { exemplar: { ...sample.exemplar, at: 1_700_000_000_250 } }) }];
  });
  const family: MetricFamily = { name: 'wait_seconds', type: 'histogram', help: 'A "wait".', values };
  const labels = 'trigger="a\\"b\\\\c\\nd"';
  t.equal(
    exposition([family], 'text'),
    `# HELP wait_seconds A "wait".
# TYPE wait_seconds histogram
wait_seconds_bucket{${labels},le="0.1"} 1
wait_seconds_bucket{${labels},le="1.0"} 3
wait_seconds_bucket{${labels},le="10.0"} 3
wait_seconds_bucket{${labels},le="+Inf"} 4
wait_seconds_sum{${labels}} 11.85
wait_seconds_count{${labels}} 4
`,
  );
  const open = exposition([family], 'openmetrics');
  t.equal(
    open,
    `# HELP wait_seconds A \\"wait\\".
# TYPE wait_seconds histogram
wait_seconds_bucket{${labels},le="0.1"} 1
wait_seconds_bucket{${labels},le="1.0"} 3 # {trace_id="${'a'.repeat(32)}"} 0.5 1700000000.25
wait_seconds_bucket{${labels},le="10.0"} 3
wait_seconds_bucket{${labels},le="+Inf"} 4
wait_seconds_sum{${labels}} 11.85
wait_seconds_count{${labels}} 4
# EOF
`,
  );
  t.equal(parseOpenMetrics(open).get('wait_seconds')?.samples.size, 6);
  t.throws(() => parseOpenMetrics(open.replace('le="1.0"', 'le="1"')), /canonical/);
  t.throws(() => parseOpenMetrics(open.replace('\n# EOF', '')), /EOF/);
  t.end();
});

t.test('OpenMetrics is negotiated by Accept', (t) => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    [prometheus, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; version="1.0.0"; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text; version=0.0.1', 'text'],
    ['application/openmetrics-text; q=0', 'text'],
    ['application/openmetrics-text;q=0.2, text/plain;q=0.9', 'text'],
  ];
  for (const [accept, format] of cases) t.equal(acceptedFormat(accept), format, String(accept));
  t.end();
});

t.test('a gateway answers in OpenMetrics, with the traces of requests that are sampled as exemplars', async (t) => {
  const gateway = await start(t);
  const traced = (sampled: boolean, id: string) => (message: RequestMessage) => {
    Object.assign(message, { trace: { traceId: id.repeat(32), spanId: id.repeat(16), sampled } });
  };
  for (const one of [traced(true, 'a'), traced(false, 'b')]) {
    channels.request.start.subscribe(one);
    await gateway.fire('ask', {});
    channels.request.start.unsubscribe(one);
  }
  const answer = await fetch(`${gateway.adminUrl}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
  t.equal(answer.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.equal(answer.headers.get('vary'), 'accept');
  const families = parseOpenMetrics(await answer.text());
  const { samples } = families.get('pullcord_request_duration_seconds') ?? {};
  const exemplars = [...(samples?.values() ?? [])].flatMap(({ exemplar }) => exemplar ?? []);
  t.strictSame(
    exemplars.map(({ labels }) => labels),
    [{ trace_id: 'a'.repeat(32) }],
  );
  t.match(families.get('pullcord_requests'), { type: 'counter' });
  t.match(families.get('pullcord_build'), { type: 'info' });
  t.equal(families.get('pullcord_run_duration_seconds')?.type, 'summary');
  const text = await fetch(`${gateway.adminUrl}/metrics`);
  t.equal(text.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.notMatch(await text.text(), /trace_id|EOF/);
});

t.test('series have the labels that the catalogue declares', async (t) => {
  const gateway = await start(t);
  await gateway.fire('ask', {});
  const families = await gateway.gateway.metrics.data();
  for (const { name, labels } of metricCatalogue) {
    const family = families.find((one) => one.name === name);
    t.ok(family, name);
    for (const sample of family?.values ?? [])
      t.strictSame(
        Object.keys(sample.labels).filter((label) => label !== 'le'),
        labels,
        name,
      );
  }
  t.equal(new Set(metricCatalogue.map(({ name }) => name)).size, metricCatalogue.length);
});

t.test('promtool has nothing to say against the metrics', { skip: skipWithoutPromtool }, async (t) => {
  const gateway = await start(t);
  await gateway.fire('ask', { instruction: 'stream' });
  t.strictSame(await promtool(['check', 'metrics'], await scrape(gateway)), { code: 0, output: '' });
  const wrong = '# HELP pullcord_things Things.\n# TYPE pullcord_things counter\npullcord_things 1\n';
  t.match(await promtool(['check', 'metrics'], wrong), { code: 3, output: /should have "_total" suffix/ });
});

t.test('the metrics of processes are merged, and those of ended ones stay', (t) => {
  const merged = new MergedMetrics();
  const processOf = (values: readonly number[], sum: number, open: number, trace?: string): readonly MetricFamily[] => {
    const histogram = new Histogram([1]);
    for (const value of values) histogram.observe(value, trace);
    return [
      { name: 'wait_seconds', type: 'histogram', help: 'W.', values: histogram.samples('wait_seconds', {}) },
      { name: 'things_total', type: 'counter', help: 'T.', values: [{ labels: { kind: 'a' }, value: sum }] },
      { name: 'open', type: 'gauge', aggregator: 'max', help: 'O.', values: [{ labels: {}, value: open }] },
      { name: 'pullcord_runs', type: 'gauge', help: 'R.', values: [{ labels: { state: 'queued' }, value: 3 }] },
    ];
  };
  const [one, other] = [processOf([0.5, 2], 5, 1), processOf([0.25], 7, 0, 'c'.repeat(32))];
  merged.ended(processOf([3], 100, 1));
  const families = parseOpenMetrics(merged.text([one, other], 'openmetrics'));
  const value = (family: string, series: string) => families.get(family)?.samples.get(series)?.value;
  t.equal(value('wait_seconds', 'wait_seconds_bucket{le="1.0"}'), 2);
  t.equal(value('wait_seconds', 'wait_seconds_bucket{le="+Inf"}'), 4);
  t.equal(value('wait_seconds', 'wait_seconds_sum{}'), 5.75);
  t.equal(value('things', 'things_total{kind="a"}'), 112);
  t.equal(value('open', 'open{}'), 1, 'a gauge of an ended process is gone');
  t.equal(value('pullcord_runs', 'pullcord_runs{state="queued"}'), 3, 'not added: all count the same');
  const exemplar = families.get('wait_seconds')?.samples.get('wait_seconds_bucket{le="1.0"}')?.exemplar;
  t.strictSame(exemplar?.labels, { trace_id: 'c'.repeat(32) });
  t.end();
});
