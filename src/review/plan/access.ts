import type { Config, TriggerConfig } from '../../config/model.ts';
import { triggerName } from '../../config/trigger-key.ts';
import type { ApiKeyDeclaration } from '../../contract/index.ts';
import type { AccessChange } from './plan.ts';

/** Who gains and who loses the right to fire which triggers. A paused trigger can be fired by nobody. */
export function compareAccess(base: Config | undefined, head: Config, now: number): readonly AccessChange[] {
  const before: Reach = base === undefined ? new Map() : reachOf(base, now);
  const after = reachOf(head, now);
  const callers = [...new Set([...before.keys(), ...after.keys()])].sort();
  return callers.flatMap((caller) => {
    const may = (reach: Reach, id: string) => reach.get(caller)?.has(id) || reach.get(anyone)?.has(id);
    const gains = [...(after.get(caller) ?? [])].filter((id) => !may(before, id)).sort();
    const loses = [...(before.get(caller) ?? [])].filter((id) => !may(after, id)).sort();
    return gains.length + loses.length === 0 ? [] : [{ caller, gains, loses }];
  });
}

/** Callers of a trigger that lets everyone in. */
const anyone = 'anyone';

/** The triggers that each caller may fire. What anyone may fire is not said again of each key. */
type Reach = ReadonlyMap<string, ReadonlySet<string>>;

function reachOf({ triggers, apiKeys }: Config, now: number): Reach {
  const reach = new Map<string, Set<string>>();
  const add = (caller: string, trigger: string): void => {
    const known = reach.get(caller) ?? new Set();
    reach.set(caller, known.add(trigger));
  };
  const keys = apiKeys.filter((key) => canFire(key, now));
  for (const trigger of triggers) {
    if (trigger.status === 'paused') continue;
    const id = triggerName(trigger);
    for (const caller of callersOf(trigger, keys)) add(caller, id);
  }
  return reach;
}

/** Who has no credential to show at a trigger that is open to all may as well keep it. */
function callersOf({ auth, project }: TriggerConfig, keys: readonly ApiKeyDeclaration[]): readonly string[] {
  if (isOpen(auth)) return [anyone];
  return auth.flatMap(({ uses }) => {
    if (uses !== 'api-key') return [`callers known to auth ${uses}`];
    return keys.filter((key) => grants(key, project.id)).map(({ id }) => id);
  });
}

/** Whether a trigger lets in who shows no credential at all. */
export function isOpen(auth: TriggerConfig['auth']): boolean {
  return auth.some(({ uses }) => uses === 'none');
}

function canFire({ status, permissions, secrets }: ApiKeyDeclaration, now: number): boolean {
  const isValid = secrets.some(({ expiresAt = Infinity }) => now < expiresAt);
  return status === 'active' && isValid && permissions.includes('project.trigger');
}

function grants({ projects }: ApiKeyDeclaration, project: string): boolean {
  return projects.includes('*') || projects.includes(project);
}
