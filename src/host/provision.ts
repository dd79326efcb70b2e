import type { Config } from '../config/model.ts';
import type { Auth, PluginLog } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { type AlertTarget, noAlertTargets, openAlertTargets } from './alert-targets.ts';
import type { AuthReviews } from './auth-reviews.ts';
import { type Instance, InstancePool } from './instance-pool.ts';
import { Instances } from './instances.ts';
import type { LimitExpressions } from './limit-expression.ts';
import { noTokens, openTokens } from './open-tokens.ts';
import { type ProvisionedTrigger, type Purpose, provisionTriggers } from './provision-triggers.ts';
import type { Registry } from './registry.ts';
import type { TokenKeys } from './token-keys.ts';

export type Provisioning =
  | {
      readonly ok: true;
      readonly triggers: readonly ProvisionedTrigger[];
      readonly defaultAuth: Auth;
      readonly authReviews: AuthReviews;
      /** The auth plugins in use, by what their `create` returned. */
      readonly authInstances: ReadonlyMap<Auth, Instance>;
      /** What signs and verifies short-lived tokens; undefined: there are none. */
      readonly tokens: TokenKeys | undefined;
      readonly limitExpressions: LimitExpressions;
      readonly alertTargets: readonly AlertTarget[];
      readonly warnings: readonly Problem[];
      /** Shares taken in the pool; give them back when the triggers are no longer used. */
      readonly identities: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Creates, or takes over from the pool, an instance for every stage of every trigger. All problems are collected; if one
 * of them is an error, nothing stays created.
 * @param purpose `review`: no agent and no receiver of callbacks is called, and an auth plugin that lacks its secrets
 *   knows nobody
 */
export async function provision(
  config: Config,
  purpose: Purpose,
  { registry, pool, log }: { readonly registry: Registry; readonly pool: InstancePool; readonly log: PluginLog },
): Promise<Provisioning> {
  // A review checks no credential and sends nothing.
  const tokens = purpose === 'review' ? noTokens : await openTokens(config);
  const alerts = purpose === 'review' ? noAlertTargets : await openAlertTargets(config);
  const instances = new Instances(config, registry, pool, log, tokens.keys);
  let isUsed = false;
  try {
    const provisioned = await provisionTriggers(config, instances, purpose);
    const { defaultAuth, triggers, authReviews, limitExpressions, findings } = provisioned;
    const problems = [...tokens.findings, ...alerts.findings, ...findings].filter(
      ({ severity }) => severity !== 'note',
    );
    if (problems.some(({ severity }) => severity === 'error') || defaultAuth === undefined) {
      return { ok: false, problems };
    }
    isUsed = true;
    const { identities, auths: authInstances } = instances;
    return {
      ok: true,
      triggers,
      defaultAuth,
      authReviews,
      authInstances,
      tokens: tokens.keys,
      limitExpressions,
      alertTargets: alerts.targets,
      warnings: problems,
      identities,
    };
  } finally {
    if (!isUsed) await instances.release();
  }
}

/**
 * Provisions a config and closes everything again: returns all findings, notes too. A missing secret is a warning, since
 * the machine that checks a pull request need not have it; what needs it is not created.
 */
export async function checkProvision(config: Config, registry: Registry, log: PluginLog): Promise<readonly Problem[]> {
  const pool = new InstancePool((err) => log.error({ err }, 'a plugin failed to close'));
  const tokens = await openTokens(config);
  const alerts = await openAlertTargets(config);
  const instances = new Instances(config, registry, pool, log, tokens.keys);
  try {
    const { findings } = await provisionTriggers(config, instances, 'serve');
    return [...tokens.findings, ...alerts.findings, ...findings].map(asWarning);
  } finally {
    await instances.release();
  }
}

/** A missing secret as a warning: the machine that checks a pull request need not have it. */
export function asWarning(problem: Problem): Problem {
  if (problem.code !== 'missing_secret' || problem.severity !== 'error') return problem;
  return {
    ...problem,
    severity: 'warning',
    hint: 'A gateway needs it to serve this config: it would not start without.',
  };
}
