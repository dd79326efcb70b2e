import { isDeepStrictEqual } from 'node:util';
import type { StageUse } from '../../config/model.ts';
import type { JsonValue } from '../../contract/index.ts';
import type { NamedFile } from '../named-files/named-files.ts';

/** What the text of a use does not show: what its options mean, and the content of what it names. */
export interface UseFacts {
  /** The options with defaults filled in, durations in milliseconds, sets sorted; secrets are references. */
  readonly meaning: JsonValue;
  readonly files: readonly NamedFile[];
  /** A digest of the plugin's code; undefined for a built-in one. */
  readonly code: string | undefined;
}

/** By the use itself, which is new for each config that is loaded. */
const known = new WeakMap<StageUse, UseFacts>();

export function noteFacts(use: StageUse, facts: UseFacts): void {
  known.set(use, facts);
}

export function factsOf(use: StageUse): UseFacts {
  return known.get(use) ?? { meaning: use.with, files: [], code: undefined };
}

/** Whether two uses of plugins do the same: the same plugin with the same code, options and files. */
export function isSameUse(before: StageUse | undefined, after: StageUse | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  const [old, now] = [factsOf(before), factsOf(after)];
  return hasSameOptions(before, after) && old.code === now.code && isDeepStrictEqual(old.files, now.files);
}

/** Whether two uses say the same, whatever the files hold that they name. */
export function hasSameOptions(before: StageUse, after: StageUse): boolean {
  return before.uses === after.uses && isDeepStrictEqual(factsOf(before).meaning, factsOf(after).meaning);
}

/** The names of options that differ in what they mean. */
export function changedOptions(before: StageUse, after: StageUse): readonly string[] {
  const [old, now] = [Object(factsOf(before).meaning), Object(factsOf(after).meaning)];
  const names = [...new Set([...Object.keys(before.with), ...Object.keys(after.with)])];
  return names.filter((name) => !isDeepStrictEqual(old[name], now[name]));
}
