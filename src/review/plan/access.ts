import type { TriggerConfig } from '../../config/model.ts';
import { triggerId, triggerName } from '../../config/trigger-key.ts';
import { type ApiKeyDeclaration, type Principal, principalOfKey } from '../../contract/index.ts';
import type { Snapshot } from '../../runtime/snapshot.ts';
import { isOpen, type ReviewedAuth, reviewedAuths } from '../reviewed-auth.ts';
import type { AccessChange } from './plan.ts';

/** Who gains and who loses the right to fire which triggers. Nobody can fire a paused trigger. */
export function compareAccess(base: Snapshot | undefined, head: Snapshot, now: number): readonly AccessChange[] {
  const before: Reach = base === undefined ? new Map() : reachOf(base, now);
  const after = reachOf(head, now);
  const callers = [...new Set([...before.keys(), ...after.keys()])].sort();
  return callers.flatMap((caller) => {
    const may = (reach: Reach, id: string) => reach.get(caller)?.has(id) || reach.get(anyone)?.has(id);
    const missing = (from: Reach, other: Reach) =>
      [...(from.get(caller) ?? [])].flatMap(([id, name]) => (may(other, id) ? [] : [name])).sort();
    const gains = missing(after, before);
    const loses = missing(before, after);
    return gains.length + loses.length === 0 ? [] : [{ caller, gains, loses }];
  });
}

/** Callers of a trigger that lets everyone in. */
const anyone = 'anyone';

/**
 * The triggers that each caller may fire, their names by their ids: a key may be written in another case. Triggers open to
 * anyone are not listed for each key.
 */
type Reach = ReadonlyMap<string, ReadonlyMap<string, string>>;

function reachOf(snapshot: Snapshot, now: number): Reach {
  const { triggers, apiKeys } = snapshot.config;
  const reach = new Map<string, Map<string, string>>();
  const add = (caller: string, trigger: TriggerConfig): void => {
    const known = reach.get(caller) ?? new Map();
    reach.set(caller, known.set(triggerId(trigger.project.id, trigger.key), triggerName(trigger)));
  };
  const keys = apiKeys.filter((key) => canFire(key, now)).map((key) => principalOfKey(key));
  for (const trigger of triggers) {
    if (trigger.status === 'paused') continue;
    const auths = reviewedAuths(snapshot, trigger.project.id, trigger.key);
    const granted = keys.filter((key) => grants(key, trigger));
    for (const caller of callersOf(auths, granted)) add(caller, trigger);
  }
  return reach;
}

/** At a trigger that is open to all, a credential grants nothing more. */
function callersOf(auths: readonly ReviewedAuth[], keys: readonly Principal[]): readonly string[] {
  if (isOpen(auths)) return [anyone];
  return auths.flatMap(({ use, callers }) =>
    callers?.kind === 'declared' ? keys.map(({ id }) => id) : [`callers known to auth ${use.uses}`],
  );
}

function canFire({ status, permissions, secrets }: ApiKeyDeclaration, now: number): boolean {
  const isValid = secrets.some(({ expiresAt = Infinity }) => now < expiresAt);
  // A key that issues tokens can fire with one.
  const mayFire = permissions.includes('project.trigger') || permissions.includes('project.token');
  return status === 'active' && isValid && mayFire;
}

function grants({ projects, triggers }: Principal, { project, key }: TriggerConfig): boolean {
  return (projects === 'all' || projects.has(project.id)) && triggers?.has(triggerId(project.id, key)) !== false;
}
