import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';

/** The secrets of the keys in `basicFiles`. */
export const secrets = {
  website: 'pc_website_secret_of_the_tests',
  other: 'pc_other_secret_of_the_tests',
  reader: 'pc_reader_secret_of_the_tests',
  untriggering: 'pc_untriggering_secret_of_the_tests',
  expired: 'pc_expired_secret_of_the_tests',
  revoked: 'pc_revoked_secret_of_the_tests',
  all: 'pc_all_secret_of_the_tests',
};

export function keyFile(id: keyof typeof secrets, members: object = {}): string {
  return JSON.stringify({
    version: 1,
    kind: 'ApiKey',
    id,
    secrets: [{ hash: `sha256:${hash('sha256', secrets[id])}` }],
    permissions: ['project.trigger'],
    projects: ['support'],
    ...members,
  });
}

export function triggerFile(key: string, members: object = {}): string {
  return JSON.stringify({
    version: 1,
    kind: 'Trigger',
    project: 'support',
    name: key,
    key,
    run: { uses: 'echo' },
    ...members,
  });
}

/** The engine that a gateway has by default: for tests of what it keeps. Others do with one that starts faster. */
export const durable = { uses: 'sqlite' };

/** Listens on free ports, calls agents on this machine; what still runs at the end of a test is not waited for. */
export function gatewayFile({ server, ...members }: { server?: object; [member: string]: unknown } = {}): string {
  return JSON.stringify({
    version: 1,
    kind: 'Gateway',
    organization: 'acme',
    server: { port: 0, drainTimeout: '100ms', ...server },
    admin: { port: 0 },
    engine: { uses: 'memory' },
    outbound: { allow: ['127.0.0.1'] },
    ...members,
  });
}

export function projectFile(id: string, members: object = {}): string {
  return JSON.stringify({ version: 1, kind: 'Project', id, name: id, ...members });
}

/** A config that serves: one project, keys of every sort. Tests add triggers. */
export function basicFiles(): Record<string, string> {
  const old = [{ hash: `sha256:${hash('sha256', secrets.expired)}`, expires: '2020-01-01' }];
  return {
    'gateway.yaml': gatewayFile(),
    'project.yaml': projectFile('support'),
    'keys/website.yaml': keyFile('website'),
    'keys/other.yaml': keyFile('other'),
    'keys/reader.yaml': keyFile('reader', { permissions: ['project.trigger', 'project.runs'] }),
    'keys/untriggering.yaml': keyFile('untriggering', { permissions: ['project.runs'] }),
    'keys/expired.yaml': keyFile('expired', { secrets: old }),
    'keys/revoked.yaml': keyFile('revoked', { status: 'revoked' }),
    'keys/all.yaml': keyFile('all', { projects: ['*'] }),
  };
}

/** The same with an engine that keeps what it accepts. */
export function durableFiles(): Record<string, string> {
  return { ...basicFiles(), 'gateway.yaml': gatewayFile({ engine: durable }) };
}

/** Writes files into a new folder that goes with the test. */
export async function configFolder(t: Test, files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
  return root;
}

export async function writeInto(root: string, file: string, text: string): Promise<void> {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
