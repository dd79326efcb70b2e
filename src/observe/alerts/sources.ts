import type { AlertScope } from '../../config/alert-model.ts';
import { expiringSecrets } from '../../config/expiring-secrets.ts';
import type { Config, LimitConfig } from '../../config/model.ts';
import { usageOf } from '../../engine/limits/rule.ts';
import type { Engine } from '../../engine/types/index.ts';
import { type CounterSource, limitsOf } from '../../runtime/limits/limit-operations.ts';
import { liveLimit } from '../../runtime/limits/live-limit.ts';
import type { Reloader } from '../../runtime/reloader.ts';
import { type AlertSources, isIn } from './observer.ts';
import type { Observation } from './sample.ts';

/** Limits of shorter windows are used up and free again all the time. */
const shortestBudgetMs = 3_600_000;
/** Of how many values of `per` a limit shows the used share: those that have used most. */
const mostValues = 10;

export interface GatewayParts {
  readonly engine: Engine;
  readonly requestLimits: CounterSource;
  readonly reloader: () => Reloader;
  readonly config: () => Config;
  /** How many runs may be queued; 0: unbounded. */
  readonly mostQueued: number;
  readonly clock: { now(): number };
}

/** What a gateway knows beside the events that it publishes. */
export function gatewaySources({
  engine,
  requestLimits,
  reloader,
  config,
  mostQueued,
  clock,
}: GatewayParts): AlertSources {
  return {
    async lastAccepted({ project, trigger }) {
      const scope = { ...(project !== undefined && { project }), ...(trigger !== undefined && { trigger }) };
      const [run] = await engine.list({ ...scope, limit: 1 });
      return run?.acceptedAt;
    },
    refusedSince: () => reloader().refusedSince,
    queue: () => ({ queued: engine.load().queued, most: mostQueued }),
    openCircuits: () => engine.openCircuits(),
    async usedShares(limit, scope) {
      const shares: Record<string, readonly [number]> = {};
      const now = clock.now();
      for (const one of budgetsOf(config(), limit, scope)) {
        const source = one.unit === 'requests' ? requestLimits : engine;
        const rule = liveLimit(one, undefined).ruleAt(now);
        for (const counter of await source.limitCounters(one.id, mostValues)) {
          const { used } = usageOf(counter, rule, now);
          const subject = subjectOf(one, counter.value);
          const share = used / rule.amount;
          if (share >= (shares[subject]?.[0] ?? 0)) shares[subject] = [share];
        }
      }
      return shares;
    },
    expiries: (scope) => expiriesOf(config(), scope),
  };
}

/** The limits that an alert on budgets is about. */
export function budgetsOf(config: Config, limit: string | undefined, scope: AlertScope): readonly LimitConfig[] {
  const limits =
    scope.project === undefined
      ? limitsOf(config)
      : [
          ...config.projects.filter(({ id }) => scope.trigger === undefined && id === scope.project),
          ...config.triggers.filter(({ project, key }) => isIn(scope, project.id, key)),
        ].flatMap((owner) => owner.limits);
  return limits.filter(({ id, name, window }) =>
    limit === undefined ? window.kind !== 'period' || window.ms >= shortestBudgetMs : id === limit || name === limit,
  );
}

/** Values that callers send are not named: an address, a session, what an expression finds. */
function subjectOf({ id, per }: LimitConfig, value: string): string {
  const isNamed = per !== undefined && ['key', 'trigger', 'project'].includes(per.kind) && value !== '';
  return isNamed ? `${id}: ${value}` : id;
}

/** When secrets of active keys and tokens of the admin listener expire. */
export function expiriesOf(config: Pick<Config, 'apiKeys' | 'admin'>, { project }: AlertScope): Observation {
  const expiries: Record<string, readonly [number]> = {};
  for (const { key, label, projects, expiresAt } of expiringSecrets(config)) {
    if (project !== undefined && !projects.includes('*') && !projects.includes(project)) continue;
    // Of secrets that share a label the first to expire counts.
    expiries[`key ${key}, ${label}`] ??= [expiresAt];
  }
  // They belong to no project.
  for (const { id, expiresAt } of project === undefined ? config.admin.tokens : []) {
    if (expiresAt !== undefined) expiries[`admin token ${id}`] = [expiresAt];
  }
  return expiries;
}
