import type { ApiKeyConfig, Config, LimitConfig, TriggerConfig } from '../config/model.ts';
import { triggerId } from '../config/trigger-key.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** Anyone who reads a public key in a page can fire with it, so something must limit how often. */
export function unlimitedKeys({ limits, apiKeys, triggers }: Config): readonly Problem[] {
  const publicKeys = apiKeys.filter(({ use, status }) => use === 'browser' && status !== 'revoked');
  if (publicKeys.length === 0 || isLimited(limits)) return [];
  const byId = new Map(triggers.map((trigger) => [triggerId(trigger.project.id, trigger.key), trigger]));
  return publicKeys.flatMap((key): Problem[] => {
    if (isLimited(key.limits) || areLimited(key, byId)) return [];
    const { id, place } = key;
    const message = `anyone who reads the browser key ${id} in a page can fire with it, and nothing limits how often`;
    const hint = 'For example limits: [{ requests: 60/1m, per: ip }, { runs: 1000/1d }]';
    return [{ code: 'unlimited_browser_key', severity: 'error', message, hint, place: { ...place, pointer: '/use' } }];
  });
}

function areLimited({ triggers = [] }: ApiKeyConfig, byId: ReadonlyMap<string, TriggerConfig>): boolean {
  if (triggers.length === 0) return false;
  return triggers.every((name) => {
    const [project = '', key = ''] = name.split('/');
    const trigger = byId.get(triggerId(project, key));
    return trigger !== undefined && (isLimited(trigger.limits) || isLimited(trigger.project.limits));
  });
}

/**
 * Tokens and cost are known after a run, a limit in shadow refuses nothing, and one for each session or value of the body has
 * room again for a caller that chooses another.
 */
function isLimited(limits: readonly LimitConfig[]): boolean {
  return limits.some(({ unit, isShadow, per }) => {
    const isChosen = per?.kind === 'session' || per?.kind === 'expression';
    return !isShadow && !isChosen && (unit === 'requests' || unit === 'runs');
  });
}
