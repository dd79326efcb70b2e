import { hash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filters, goodSecret, limits, pageOrigin, triggerNames } from './rows.ts';

/** Writes the config of the gateway under test: one trigger for each row, all of the same five stages. */
export async function writeGatewayFolder(
  root: string,
  {
    engine,
    port,
    adminPort,
    recordingRate,
    hasCors,
    hasLimits,
    agentUrl,
  }: {
    engine: 'memory' | 'sqlite';
    port: number;
    adminPort: number;
    recordingRate: number;
    hasCors: boolean;
    hasLimits: boolean;
    agentUrl?: string | undefined;
  },
): Promise<void> {
  await mkdir(root, { recursive: true });
  const write = (file: string, content: object) =>
    writeFile(join(root, file), JSON.stringify({ version: 1, ...content }));
  const listeners = { server: { port }, admin: { port: adminPort } };
  await write('gateway.yaml', {
    ...{ kind: 'Gateway', organization: 'bench', ...listeners, engine: { uses: engine, with: { concurrency: 4000 } } },
    recording: { rate: recordingRate, mask: ['/customer/email'] },
    outbound: { allow: ['127.0.0.1'] },
    ...(hasCors && { defaults: { cors: { origins: [pageOrigin] } } }),
  });
  await write('project.yaml', { kind: 'Project', id: 'support', name: 'Support', language: 'en' });
  await write('key.yaml', {
    kind: 'ApiKey',
    id: 'bench',
    secrets: [{ hash: `sha256:${hash('sha256', goodSecret)}` }],
    permissions: ['project.trigger'],
    projects: ['support'],
  });
  await write('streamed.yaml', {
    ...{ kind: 'Trigger', project: 'support', name: 'streamed', key: 'streamed' },
    run: { uses: 'echo', with: { stream: true, delay: '300ms' } },
    respond: { uses: 'stream' },
  });
  for (const key of triggerNames) {
    await write(`${key}.yaml`, {
      kind: 'Trigger',
      project: 'support',
      name: key,
      key,
      filter: filters.map(({ name, expression }) => ({ name, uses: 'jsonata', with: { expression } })),
      dedup: { uses: 'body', with: { window: '24h' } },
      run: key === 'proxied' && agentUrl !== undefined ? { uses: 'http', with: { url: agentUrl } } : { uses: 'echo' },
      ...(hasLimits && { limits }),
      respond: key === 'background' ? { uses: 'accepted' } : { uses: 'wait', with: { timeout: '30s' } },
    });
  }
}
