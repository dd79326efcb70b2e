import type { Stage } from '../contract/index.ts';
import type { StageUse, StageUses } from './model.ts';

/** The uses of plugins in a stage as a list, however many the stage takes. */
export function usesOf(config: StageUses, stage: Stage): readonly StageUse[] {
  const uses: StageUse | readonly StageUse[] | undefined = config[stage];
  if (uses === undefined) return [];
  return isList(uses) ? uses : [uses];
}

/** The name of a use in a stage whose uses have names. */
export function nameOf(use: StageUse | undefined): string {
  return use !== undefined && 'name' in use && typeof use.name === 'string' ? use.name : '';
}

function isList(uses: StageUse | readonly StageUse[]): uses is readonly StageUse[] {
  return Array.isArray(uses);
}
