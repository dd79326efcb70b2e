import { ConfigLoader } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { Sources } from '../diagnostics/source.ts';
import { builtinRegistry } from '../host/builtins.ts';
import { checkEngine } from '../host/open-engine.ts';
import { asWarning } from '../host/provision.ts';
import { resolveSecret } from '../host/secrets.ts';
import { SnapshotBuilder } from './snapshot-builder.ts';

export interface CheckedConfig {
  /** Also of severity note. */
  readonly problems: readonly Problem[];
  readonly sources: Sources;
  /** What the config declares, in words; undefined if it cannot be parsed. */
  readonly summary: string | undefined;
}

const silent: PluginLog = { info() {}, warn() {}, error() {} };

/**
 * Checks a config folder by provisioning it without starting it. The valid parts of a faulty config are provisioned too, so
 * that all problems are reported at once. Missing secrets are warnings.
 */
export async function checkConfig(root: string): Promise<CheckedConfig> {
  const loaded = await new ConfigLoader(root).load();
  const { sources } = loaded;
  const config = loaded.ok ? loaded.config : loaded.partial;
  if (config === undefined) return { problems: loaded.problems, sources, summary: undefined };
  const builder = new SnapshotBuilder(builtinRegistry(), silent);
  const [stages, engine, admin] = await Promise.all([
    builder.check(config),
    checkEngine(config.engine),
    adminTokenProblems(config),
  ]);
  const problems = [...loaded.problems, ...stages, ...(engine.ok ? [] : engine.problems.map(asWarning)), ...admin];
  return { problems, sources, summary: loaded.ok ? summarize(config) : undefined };
}

async function adminTokenProblems({ admin }: Config): Promise<readonly Problem[]> {
  const token = admin.token && (await resolveSecret(admin.token, admin.folder));
  if (token === undefined || token.ok) return [];
  const place = { ...admin.place, pointer: `${admin.place.pointer}/token` };
  return [{ code: 'missing_secret', severity: 'warning', message: token.message, place }];
}

function summarize({ organization, projects, triggers, apiKeys }: Config): string {
  const counted = ({ length }: { readonly length: number }, noun: string) =>
    `${length} ${noun}${length === 1 ? '' : 's'}`;
  const parts = [counted(projects, 'project'), counted(triggers, 'trigger'), counted(apiKeys, 'API key')];
  return `organization ${organization}: ${parts.join(', ')}`;
}
