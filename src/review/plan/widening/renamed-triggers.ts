import { relative } from 'node:path';
import { triggerId } from '../../../config/trigger-key.ts';
import type { LiveTrigger } from '../../../runtime/snapshot.ts';
import { factsOf, isSameUse } from '../../meaning/use-facts.ts';
import type { PlanSide } from '../plan-side.ts';

/**
 * Finds the trigger that another one, by its key or its project, takes the place of: one that is gone, and whose file, name,
 * key or agent it has. What it no longer has of that one is as open as if it had been removed.
 */
export function predecessors(base: PlanSide, head: PlanSide): ReadonlyMap<LiveTrigger, LiveTrigger> {
  const gone = triggersMissingIn(head, base);
  const found = new Map<LiveTrigger, LiveTrigger>();
  for (const trigger of triggersMissingIn(base, head)) {
    const ranked = gone
      .map((old) => ({ old, likeness: likeness({ side: base, trigger: old }, { side: head, trigger }) }))
      .filter((one) => one.likeness > 0)
      .sort((one, other) => other.likeness - one.likeness);
    const [best] = ranked;
    if (best !== undefined) found.set(trigger, best.old);
  }
  return found;
}

/** The triggers of one side that the other one does not have. */
function triggersMissingIn(other: PlanSide, { config, snapshot }: PlanSide): readonly LiveTrigger[] {
  const ids = new Set(other.config.triggers.map(({ project, key }) => triggerId(project.id, key)));
  return config.triggers
    .filter(({ project, key }) => !ids.has(triggerId(project.id, key)))
    .flatMap(({ project, key }) => snapshot.find(project.id, key) ?? []);
}

interface Placed {
  readonly side: PlanSide;
  readonly trigger: LiveTrigger;
}

/** How much speaks for a rename; 0: nothing. */
function likeness(old: Placed, now: Placed): number {
  const [before, after] = [old.trigger.config, now.trigger.config];
  const hasSameFile = fileOf(old) === fileOf(now);
  const hasSameName = before.name !== before.key && before.name === after.name;
  const hasSameKey = triggerId('', before.key) === triggerId('', after.key);
  const hasSameAgent = isSameUse(before.run, after.run) && Object.keys(Object(factsOf(after.run).meaning)).length > 0;
  const isAlike = before.project.id === after.project.id && before.run.uses === after.run.uses;
  return (
    Number(hasSameFile) * 16 +
    Number(hasSameKey) * 8 +
    Number(hasSameName) * 4 +
    Number(hasSameAgent) * 2 +
    Number(isAlike)
  );
}

function fileOf({ side, trigger }: Placed): string {
  return relative(side.root, trigger.config.place.file);
}
