import type { Config } from '../config/model.ts';
import type { JsonObject } from '../contract/index.ts';
import type { CancelledRun, ListedRuns, ReplayedRun, RunFilter } from '../runtime/run-operations.ts';
import { loadForCommand } from './load-for-command.ts';
import { terminal } from './terminal.ts';

/** The runs of a gateway, whether it is running or not. */
export interface RunsAccess {
  list(filter: RunFilter): Promise<ListedRuns>;
  show(id: string): Promise<JsonObject | undefined>;
  cancel(id: string): Promise<CancelledRun>;
  replay(id: string): Promise<ReplayedRun>;
  close(): Promise<void>;
}

/** What keeps the runs from being reached, in words for the user. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

/**
 * Reaches the runs by the admin listener of the running gateway; if nothing listens there, in the journal itself.
 * Undefined when the config has problems, which are told.
 */
export async function accessRuns(root: string, url: string | undefined): Promise<RunsAccess | undefined> {
  const { AdminRuns } = await import('./admin-runs.ts');
  if (url !== undefined) return new AdminRuns(url, process.env.PULLCORD_ADMIN_TOKEN);
  const config = await loadForCommand(root);
  if (config === undefined) return undefined;
  const admin = new AdminRuns(adminUrl(config), await adminToken(config));
  return (await admin.isThere()) ? admin : openJournal(config, admin.url);
}

function adminUrl({ admin: { host, port } }: Config): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

async function adminToken({ admin }: Config): Promise<string | undefined> {
  if (admin.token === undefined) return undefined;
  const { resolveSecret } = await import('../host/secrets.ts');
  const token = await resolveSecret(admin.token, admin.folder);
  if (token.ok) return token.value;
  terminal.words(`warning: ${token.message}`);
  return undefined;
}

async function openJournal(config: Config, triedUrl: string): Promise<RunsAccess> {
  const { openEngine } = await import('../host/open-engine.ts');
  const { RunOperations } = await import('../runtime/run-operations.ts');
  if (config.engine.uses === 'memory') {
    throw new AccessError(`no gateway answers at ${triedUrl}, and its engine keeps nothing outside of it`);
  }
  const opened = await openEngine(config.engine, { info() {}, warn() {}, error() {} });
  if (!opened.ok) {
    const messages = opened.problems.map(({ message }) => message).join('; ');
    throw new AccessError(`no gateway answers at ${triedUrl} (name another with --url), and ${messages}`);
  }
  const { engine } = opened;
  const operations = new RunOperations(engine, () => config);
  return {
    list: (filter) => operations.list(filter),
    show: (id) => operations.show(id),
    cancel: (id) => operations.cancel(id),
    replay: (id) => operations.replay(id),
    close: () => engine.close(0),
  };
}
