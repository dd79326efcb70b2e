import cluster from 'node:cluster';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config/model.ts';
import type { Log } from '../log.ts';
import { type ExitCode, exitCodes, terminal } from '../terminal.ts';
import { hideEnvironment } from './hide-environment.ts';
import type { ToPrimary } from './messages.ts';
import { npmParent } from './npm-parent.ts';
import { createSharedAdmin } from './shared-admin.ts';
import { type Pages, serveSite } from './site-of-serve.ts';
import { passedOnWithinMs } from './stop-signal.ts';
import { urlOf } from './url-of.ts';
import { type Ended, Workers } from './workers.ts';

/** `serve --processes N`: processes that share the public listener, below one that has the admin listener and replaces them. */
export async function serveProcesses(
  root: string,
  { count, pages }: { readonly count: number; readonly pages: Pages | undefined },
): Promise<ExitCode> {
  const parent = npmParent(process.env);
  hideEnvironment();
  const config = await loadShared(root);
  if (config === undefined) {
    terminal.words(`${root}: not served`);
    return exitCodes.problems;
  }
  const { createLog } = await import('../log.ts');
  const log = createLog();
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-'));
  cluster.setupPrimary({ args: ['serve', '--config', root] });
  const workers = new Workers(log, folder);
  let stoppedAt: number | undefined;
  const stop = (signal: NodeJS.Signals) => {
    const isPassedOn = stoppedAt !== undefined && performance.now() - stoppedAt <= passedOnWithinMs;
    if (parent !== undefined && isPassedOn) return;
    stoppedAt ??= performance.now();
    parent?.ignore();
    workers.signal(signal);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.on('SIGHUP', () => {
    parent?.ignore();
    workers.signal('SIGHUP');
  });
  parent?.onGone(() => stop('SIGTERM'));
  // Otherwise Node opens its debugger.
  process.on('SIGUSR1', () => {});
  const admin = createSharedAdmin(workers);
  const fault = await listen(admin, config.admin);
  if (fault !== undefined) {
    terminal.words(`error: cannot listen on ${config.admin.host}:${config.admin.port} (${fault})`);
    await rm(folder, { recursive: true, force: true });
    return exitCodes.problems;
  }
  const serving = await workers.start(count);
  const site = serving && pages && (await serveSite(log, serving.address, pages));
  if (serving !== undefined) announce(log, serving, admin, count);
  const ended = await workers.over;
  await Promise.all([site?.close(), closed(admin), rm(folder, { recursive: true, force: true })]);
  log.info({}, 'stopped');
  log.close();
  return codeOf(ended);
}

/** The config, if several processes can serve it; otherwise it says why not. */
async function loadShared(root: string): Promise<Config | undefined> {
  const [{ ConfigLoader }, { sharingProblems }, { formatProblems }] = await Promise.all([
    import('../../config/load.ts'),
    import('../../host/open-engine.ts'),
    import('../../diagnostics/format.ts'),
  ]);
  const loaded = await new ConfigLoader(root).load();
  const problems = loaded.ok ? await sharingProblems(loaded.config.engine) : loaded.problems;
  if (loaded.ok && problems.length === 0) return loaded.config;
  terminal.words(formatProblems(problems, loaded.sources, { format: 'text' }));
  return undefined;
}

/** Why it does not listen; undefined: it does. */
async function listen(server: Server, { host, port }: Config['admin']): Promise<string | undefined> {
  const failed = once(server, 'error').then(([error]) => String(error.code ?? error));
  const listening = once(server.listen({ host, port }), 'listening').then(() => undefined);
  return Promise.race([listening, failed]);
}

function announce(
  log: Log,
  { address, revision, gitCommit, isDirty: dirty }: Omit<Extract<ToPrimary, { kind: 'serving' }>, 'kind'>,
  admin: Server,
  processes: number,
): void {
  const { address: host, port } = admin.address() as AddressInfo;
  log.info({ url: urlOf(address), admin: urlOf({ host, port }), revision, gitCommit, dirty, processes }, 'serving');
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** As the process would have it: 70 for one that a signal has ended. */
function codeOf({ code }: Ended): ExitCode {
  return Object.values(exitCodes).find((known) => known === code) ?? exitCodes.crash;
}
