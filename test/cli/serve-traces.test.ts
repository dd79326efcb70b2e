import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { TestCollector } from '../support/collector.ts';
import { startCommand } from '../support/command.ts';
import { basicFiles, configFolder, secrets, triggerFile } from '../support/config-folder.ts';

type Line = { readonly msg: string; readonly [field: string]: unknown };

/** Serves one request, and stops. Returns what was logged. */
async function serveOnce(t: Test, env: Record<string, string>): Promise<readonly Line[]> {
  const root = await configFolder(t, { ...basicFiles(), 'triggers/echo.yaml': triggerFile('echo') });
  const child = startCommand(t, ['serve', '--config', root], { env });
  const lines: Line[] = [];
  const ended = once(child, 'exit');
  if (child.stderr === null) throw new Error('no stderr');
  for await (const text of createInterface({ input: child.stderr })) {
    if (!text.startsWith('{')) continue;
    const line: Line = JSON.parse(text);
    lines.push(line);
    if (line.msg !== 'serving') continue;
    const answer = await fetch(`${line.url}/api/v1.0/project/support/trigger/echo`, {
      method: 'POST',
      headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
      body: '{}',
    });
    t.equal(answer.status, 200);
    child.kill('SIGTERM');
  }
  await ended;
  return lines;
}

t.test('serve exports traces as the environment says, the last ones when it stops', async (t) => {
  const collector = await TestCollector.start(t);
  const lines = await serveOnce(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20s3cret',
    OTEL_SERVICE_NAME: 'front door',
    PULLCORD_NODE: 'node-7',
  });
  t.strictSame(collector.spans.map(({ name }) => name).sort(), [
    'POST /project/{projectId}/trigger/{key}',
    'invoke_agent echo',
  ]);
  t.match(collector.spans[0]?.resource, { 'service.name': 'front door', 'service.instance.id': 'node-7' });
  t.match(collector.exports, [{ headers: { authorization: 'Bearer s3cret' } }]);
  t.notMatch(JSON.stringify(lines), 's3cret');
});

t.test('serve warns once of a variable that it cannot follow, and serves', async (t) => {
  const collector = await TestCollector.start(t);
  const lines = await serveOnce(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  });
  t.match(
    lines.filter(({ msg }) => msg.startsWith('OTEL_')),
    [{ msg: /^OTEL_EXPORTER_OTLP_PROTOCOL must be http\/json/ }],
  );
  t.equal(collector.requests, 0);
});
