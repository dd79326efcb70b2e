import type { Config, LimitConfig, TriggerConfig } from '../config/model.ts';
import { sameTrigger } from '../config/trigger-key.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { isReserved } from '../engine/limits/ledger.ts';
import type { ProvisionedStages } from './stage-instances.ts';

/** How many triggers a message names. */
const maxNamed = 3;

interface Trigger extends Pick<ProvisionedStages, 'run'> {
  readonly config: TriggerConfig;
}

/** Limits of tokens and cost under which nothing is ever counted for some trigger: its run plugin reports no tokens. */
export function unmeteredRuns(config: Config, triggers: readonly Trigger[]): readonly Problem[] {
  const unmetered = triggers.filter(({ run }) => run.reportsUsage === false).map((trigger) => trigger.config);
  if (unmetered.length === 0) return [];
  const { limits, projects, apiKeys } = config;
  return [
    ...ofList(limits, () => unmetered),
    ...projects.flatMap((project) => ofList(project.limits, () => unmetered.filter((one) => one.project === project))),
    ...unmetered.flatMap((trigger) => ofList(trigger.limits, () => [trigger])),
    ...apiKeys.flatMap((key) => (key.status === 'revoked' ? [] : ofList(key.limits, () => firedBy(key, unmetered)))),
  ];
}

function firedBy(
  { projects, triggers }: Config['apiKeys'][number],
  unmetered: readonly TriggerConfig[],
): readonly TriggerConfig[] {
  const named = triggers?.map((name) => {
    const [project = '', trigger = ''] = name.split('/');
    return { project, trigger };
  });
  return unmetered.filter(({ project: { id }, key }) => {
    if (!projects.includes('*') && !projects.includes(id)) return false;
    return named === undefined || named.some((one) => sameTrigger(one, { project: id, trigger: key }));
  });
}

function ofList(limits: readonly LimitConfig[], applies: () => readonly TriggerConfig[]): readonly Problem[] {
  return limits.flatMap(({ unit, isShadow, estimate, name, level, place }): Problem[] => {
    if (!isReserved(unit) || isShadow || estimate !== undefined) return [];
    const triggers = applies();
    if (triggers.length === 0) return [];
    const of = level === 'trigger' ? 'this trigger' : listed(triggers);
    const plugins = [...new Set(triggers.map(({ run }) => run.uses))].sort().join(', ');
    return [
      {
        code: 'unmetered_runs',
        severity: 'warning',
        message: `the limit ${name} counts nothing for ${of} unless it declares \`estimate\`: as configured, run: ${plugins} reports no tokens`,
        hint: 'Add the option `usage` to the run plugin where it has one, or `estimate` to the limit.',
        place,
      },
    ];
  });
}

function listed(triggers: readonly TriggerConfig[]): string {
  const names = triggers.slice(0, maxNamed).map(({ project, key }) => `${project.id}/${key}`);
  const more = triggers.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
