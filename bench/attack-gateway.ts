import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { harmless, secrets } from './attack-requests.ts';

const heapMb = 384;
const startWithinMs = 60_000;

const branching = {
  type: 'object',
  properties: { next: { anyOf: [{ $ref: '#' }, { allOf: [{ $ref: '#' }, { required: ['never'] }] }] } },
  required: ['next'],
};

const triggers: Readonly<Record<string, object>> = {
  harmless: {},
  branching: { filter: { name: 'schema', uses: 'json-schema', with: { schema: branching } } },
  unique: {
    filter: {
      name: 'schema',
      uses: 'json-schema',
      with: { schema: { properties: { items: { type: 'array', uniqueItems: true } } } },
    },
  },
  flattening: { filter: '$count(orders.($$.products)) > 0' },
  matching: { filter: '$count($match(text, /[a-z]{1,500}[0-9]$/)) > 0' },
  mapping: {
    run: {
      uses: 'http',
      with: { url: 'http://127.0.0.1:9/', request: '{ "all": items.{ "item": $, "order": $$ } }' },
    },
    respond: { uses: 'accepted' },
  },
  slow: { run: { uses: 'echo', with: { delay: '10s' } }, respond: { uses: 'accepted' } },
  signed: {
    auth: { uses: 'signature', with: { scheme: 'github', secrets: [{ env: 'PULLCORD_BENCH_SIGNATURE' }] } },
  },
};

/** Writes a config with one trigger for each attack. */
export async function writeFolder(root: string, port: number, adminPort: number): Promise<void> {
  await mkdir(root, { recursive: true });
  const write = (file: string, content: object) =>
    writeFile(join(root, file), JSON.stringify({ version: 1, ...content }));
  await write('gateway.yaml', {
    ...{ kind: 'Gateway', organization: 'bench', server: { port }, admin: { port: adminPort } },
    engine: { uses: 'sqlite', with: { path: 'pullcord.db' } },
    outbound: { allow: ['127.0.0.1'] },
    recording: { rate: 0 },
  });
  await write('project.yaml', { kind: 'Project', id: 'support', name: 'Support', language: 'en' });
  for (const [id, secret] of Object.entries(secrets)) {
    await write(`${id}.yaml`, {
      ...{ kind: 'ApiKey', id, secrets: [{ hash: `sha256:${hash('sha256', secret)}` }] },
      ...{ permissions: ['project.trigger'], projects: ['support'] },
    });
  }
  for (const [key, trigger] of Object.entries(triggers)) {
    const declared = { kind: 'Trigger', project: 'support', name: key, key, run: { uses: 'echo' } };
    await write(`${key}.yaml`, { ...declared, ...trigger });
  }
}

/** Starts the gateway, and resolves when it serves. */
export async function start(root: string, port: number): Promise<ChildProcess> {
  const bin = join(import.meta.dirname, '../src/cli/bin.ts');
  const gateway = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, bin, 'serve', '--config', root], {
    stdio: 'ignore',
    env: { ...process.env, PULLCORD_BENCH_SIGNATURE: 'a-secret-of-the-benchmark-that-is-long' },
  });
  const endsAt = performance.now() + startWithinMs;
  while (performance.now() < endsAt && gateway.exitCode === null) {
    if ((await harmless(port)) === '200') return gateway;
    await sleep(50);
  }
  throw new Error(`the gateway did not start (exit ${gateway.exitCode})`);
}
