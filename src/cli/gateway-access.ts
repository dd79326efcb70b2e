import { userInfo } from 'node:os';
import type { Config } from '../config/model.ts';
import type { AuditOperations } from '../runtime/audit/audit-operations.ts';
import type { AlertsAccess, AuditAccess, GatewayAccess } from './access.ts';
import { AccessError } from './access-error.ts';
import type { AdminClient } from './admin-client.ts';
import { loadForAccess } from './load-for-command.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

/** The options of every command that works on a gateway. */
export interface AccessOptions {
  readonly config: string;
  readonly adminUrl?: string;
}

/**
 * Does some work on the runs and recorded requests of a gateway; reports why if they cannot be reached.
 * @param otherwise thrown instead of that report, which it is given
 */
export async function withGateway(
  { config, adminUrl }: AccessOptions,
  work: (access: GatewayAccess) => Promise<ExitCode>,
  otherwise?: (reason: AccessError) => Error,
): Promise<ExitCode> {
  let access: GatewayAccess | undefined;
  try {
    access = await accessGateway(config, adminUrl);
    return access === undefined ? exitCodes.problems : await work(access);
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    if (otherwise !== undefined) throw otherwise(error);
    terminal.words(`error: ${error.message}`);
    return exitCodes.problems;
  } finally {
    await access?.close();
  }
}

/**
 * Reaches what a gateway keeps through its admin listener or, if nothing listens there, in the store of its engine. Undefined
 * if the config has problems, which are reported.
 */
async function accessGateway(root: string, url: string | undefined): Promise<GatewayAccess | undefined> {
  if (url !== undefined) return accessAdmin(url, process.env.PULLCORD_ADMIN_TOKEN || undefined);
  const loaded = await loadForAccess(root);
  const { config } = loaded;
  if (config === undefined) {
    loaded.report();
    return undefined;
  }
  const { AdminClient } = await import('./admin-client.ts');
  const address = adminUrl(config);
  const isThere = await new AdminClient(address, undefined).isThere();
  if (!isThere && !loaded.isWhole) {
    loaded.report();
    return undefined;
  }
  if (!isThere) return accessStore(root, config, address);
  const token = await adminToken(config);
  await checkOrganization(new AdminClient(address, token), config);
  return accessAdmin(address, token);
}

/** Another gateway may have the port: its runs must not be mistaken, or cancelled, for those of this config. */
async function checkOrganization(client: AdminClient, { organization }: Config): Promise<void> {
  const { body } = await client.ask('GET', '/config');
  if (body.organization === organization) return;
  throw new AccessError(
    `the gateway at ${client.url} serves ${body.organization}, not ${organization}: name yours with --admin-url`,
  );
}

async function accessAdmin(url: string, token: string | undefined): Promise<GatewayAccess> {
  const [
    { AdminClient },
    { AdminRuns },
    { AdminRequests },
    { AdminLimits },
    { AdminNodes },
    { AdminAudit },
    { AdminStatus },
    { AdminAlerts },
  ] = await Promise.all([
    import('./admin-client.ts'),
    import('./admin-runs.ts'),
    import('./admin-requests.ts'),
    import('./admin-limits.ts'),
    import('./admin-nodes.ts'),
    import('./admin-audit.ts'),
    import('./admin-status.ts'),
    import('./admin-alerts.ts'),
  ]);
  const client = new AdminClient(url, token);
  await client.check();
  return {
    runs: new AdminRuns(client),
    requests: new AdminRequests(client),
    limits: new AdminLimits(client),
    nodes: new AdminNodes(client),
    audit: new AdminAudit(client),
    status: new AdminStatus(client),
    alerts: new AdminAlerts(client),
    close: () => Promise.resolve(),
  };
}

function adminUrl({ admin: { host, port } }: Config): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** The config has only hashes of `admin.tokens`, so an operator passes one in the environment. */
async function adminToken({ admin }: Config): Promise<string | undefined> {
  const { PULLCORD_ADMIN_TOKEN: given } = process.env;
  if (given) return given;
  if (admin.token === undefined) return undefined;
  const { resolveSecret } = await import('../host/secrets.ts');
  const token = await resolveSecret(admin.token, admin.folder);
  if (token.ok) return token.value;
  terminal.words(`warning: ${token.message}`);
  return undefined;
}

async function accessStore(root: string, config: Config, triedUrl: string): Promise<GatewayAccess> {
  const [
    { openEngine },
    { RunOperations },
    { RequestOperations },
    { LimitOperations },
    { NodeOperations },
    { FireOperations },
    { StatusOperations },
    { OpenedDecider },
    { AuditOperations },
    { AuditTrail },
  ] = await Promise.all([
    import('../host/open-engine.ts'),
    import('../runtime/run-operations.ts'),
    import('../runtime/recording/request-operations.ts'),
    import('../runtime/limits/limit-operations.ts'),
    import('../runtime/nodes/node-operations.ts'),
    import('../runtime/recording/fire-operations.ts'),
    import('../runtime/status/status-operations.ts'),
    import('./opened-decider.ts'),
    import('../runtime/audit/audit-operations.ts'),
    import('../runtime/audit/audit-trail.ts'),
  ]);
  const silent = { info() {}, warn() {}, error() {} };
  const opened = await openEngine(config.engine, { log: silent }, { isThere: true });
  if (!opened.ok) {
    const messages = opened.problems.map(({ message }) => message).join('; ');
    throw new AccessError(`no gateway answers at ${triedUrl} (name another with --admin-url), and ${messages}`);
  }
  const { engine, recordings, audit } = opened;
  const actor = { actor: commandActor(), role: undefined, ip: undefined, requestId: undefined };
  const trail = new AuditTrail(audit, () =>
    terminal.words('warning: it is done, and the audit trail does not have its outcome: it could not be stored'),
  );
  const runs = new RunOperations(engine, () => config, trail);
  const limits = new LimitOperations(engine, undefined, () => config, trail);
  const requests = new RequestOperations(recordings, () => config, engine);
  const nodes = new NodeOperations(engine, () => undefined);
  const decider = new OpenedDecider(root);
  const fires = new FireOperations({ engine, recordings, trail, snapshot: () => decider.snapshot() });
  return {
    runs: {
      list: (filter) => runs.list(filter),
      show: (id) => runs.show(id),
      cancel: (id) => runs.cancel(id, actor),
      replay: (id, options) => runs.replay(id, actor, options),
    },
    requests: {
      list: (filter) => requests.list(filter),
      show: (id) => requests.show(id),
      export: async (filter) => requests.export(filter),
      fire: (id, options) => fires.fire(id, actor, options),
    },
    limits: {
      list: (filter) => limits.list(filter),
      reset: (limit, value) => limits.reset(limit, value, actor),
    },
    nodes,
    audit: auditAccess(new AuditOperations(audit, () => config)),
    status: new StatusOperations({ engine, recordings, nodes, config: () => config }),
    alerts: unevaluated(triedUrl),
    async close() {
      await decider.close();
      await engine.close(0);
    },
  };
}

function auditAccess(operations: AuditOperations): AuditAccess {
  return {
    list: (filter) => operations.list(filter),
    export: async (filter) => operations.export(filter),
  };
}

/** Who runs a command on a store, for the audit trail. */
function commandActor(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // A container may run as a user that has no name.
    return `cli:${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Only a gateway that runs evaluates alerts. */
function unevaluated(triedUrl: string): AlertsAccess {
  const refuse = (): never => {
    throw new AccessError(
      `no gateway answers at ${triedUrl} (name another with --admin-url): only one that runs evaluates alerts`,
    );
  };
  return { list: async () => refuse(), test: async () => refuse() };
}
