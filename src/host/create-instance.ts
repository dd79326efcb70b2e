import { resolve } from 'node:path';
import type { StageUse } from '../config/model.ts';
import {
  type ApiKeyDeclaration,
  type AuthPluginContext,
  type MaybePromise,
  OptionsError,
  type OptionsFinding,
  type OptionsProblem,
  type Plugin,
  type PluginContext,
  type PluginLog,
  type TokenVerifier,
} from '../contract/index.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { faultOfInstance } from './check-plugin.ts';
import { withDeadline } from './deadline.ts';
import { type Created, type Instance, runClosers } from './instance-pool.ts';
import { rememberSecrets } from './instance-secrets.ts';
import type { GoodOptions } from './options.ts';
import type { OutboundGuard } from './outbound/guard.ts';
import { createLazyClient } from './outbound/lazy-client.ts';

/** How long a plugin's `create` may take, in milliseconds. */
const createDeadlineMs = 10_000;

/** What the instances of one config have in common. */
export interface Surroundings {
  readonly log: PluginLog;
  readonly apiKeys: readonly ApiKeyDeclaration[];
  readonly projects: readonly string[];
  /** Verifies short-lived tokens, if the config has secrets for them. */
  readonly tokens?: TokenVerifier | undefined;
  readonly guard: OutboundGuard;
}

/**
 * Creates a plugin's instance. If that fails, whatever its `create` has registered is closed, also what it registers only
 * after its deadline.
 */
export async function createInstance(
  plugin: Plugin,
  use: StageUse,
  resolved: GoodOptions,
  surroundings: Surroundings,
  deadlineMs = createDeadlineMs,
): Promise<Created> {
  const { log } = surroundings;
  const { options, hasSecrets } = resolved;
  const closers: (() => MaybePromise<void>)[] = [];
  let hasFailed = false;
  const close = () =>
    runClosers(closers.splice(0), (err) => log.error({ err, plugin: plugin.name }, 'a plugin failed to close'));
  const register = (closer: () => MaybePromise<void>) => {
    closers.push(closer);
    if (hasFailed) void close();
  };
  const findings: OptionsFinding[] = [];
  let hasReadKeys = false;
  const onKeysRead = () => {
    hasReadKeys = true;
  };
  const context: PluginContext = {
    log: pluginLog(log, plugin),
    onClose: register,
    report: (finding) => findings.push(finding),
    resolvePath: (path) => resolve(use.folder, path),
    outbound: (outboundOptions) => {
      const client = createLazyClient(surroundings.guard, outboundOptions);
      register(() => client.close());
      return client;
    },
  };
  try {
    const value = await withDeadline<unknown>(
      create(plugin, context, options, { ...surroundings, onKeysRead }),
      deadlineMs,
      '`create`',
    );
    const fault = faultOfInstance(plugin.stage, value);
    if (fault !== undefined) throw new Error(fault);
    rememberSecrets(Object(value), resolved.secrets);
    const withApiKeys = (apiKeys: readonly ApiKeyDeclaration[]) =>
      hasReadKeys ? createInstance(plugin, use, resolved, { ...surroundings, apiKeys }) : undefined;
    return { ok: true, instance: { value, findings, closers, ...(plugin.stage === 'auth' && { withApiKeys }) } };
  } catch (error) {
    hasFailed = true;
    await close();
    return { ok: false, findings: failureOf(error, plugin, use, hasSecrets) };
  }
}

/** Asynchronous, so that what a plugin throws at once is a rejection too. */
async function create(
  plugin: Plugin,
  context: PluginContext,
  options: unknown,
  { apiKeys, projects, tokens, onKeysRead }: Surroundings & { onKeysRead(): void },
): Promise<unknown> {
  if (plugin.stage !== 'auth') return plugin.create(context, options);
  const authContext: AuthPluginContext = {
    ...context,
    projects,
    tokens,
    // Who reads them depends on them, and is created again for others.
    get apiKeys() {
      onKeysRead();
      return apiKeys;
    },
  };
  return plugin.create(authContext, options);
}

function failureOf(error: unknown, plugin: Plugin, use: StageUse, hasSecrets: boolean): readonly Problem[] {
  if (OptionsError.is(error)) {
    return error.problems.map((problem) => optionProblem(use, 'error', 'bad_option', problem));
  }
  // Drivers repeat their arguments, e.g. a URL with a password: if the options hold a secret, only the error's name is shown.
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return [
    {
      code: 'plugin_failed',
      severity: 'error',
      message: `the ${plugin.stage} plugin ${plugin.name} failed to start: ${hasSecrets ? name : message}`,
      place: use.place,
    },
  ];
}

/** What a plugin reported of its options, at the place of this use. */
export function optionFindings({ findings }: Instance, use: StageUse): readonly Problem[] {
  return findings.map(({ severity, ...finding }) => optionProblem(use, severity, `option_${severity}`, finding));
}

function optionProblem(
  use: StageUse,
  severity: Problem['severity'],
  code: DiagnosticCode,
  { pointer, message, hint, offset }: OptionsProblem,
): Problem {
  const place = { ...use.optionPlaces(pointer), ...(offset !== undefined && { offset }) };
  return { code, severity, message, ...(hint !== undefined && { hint }), place };
}

function pluginLog(log: PluginLog, plugin: Plugin): PluginLog {
  const tag = { stage: plugin.stage, plugin: plugin.name };
  return {
    info: (fields, message) => log.info({ ...fields, ...tag }, message),
    warn: (fields, message) => log.warn({ ...fields, ...tag }, message),
    error: (fields, message) => log.error({ ...fields, ...tag }, message),
  };
}
