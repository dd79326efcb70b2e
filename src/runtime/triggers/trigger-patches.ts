import { basename, dirname, relative } from 'node:path';
import { type EditedText, replaceScalar, setTopLevel } from '../../config/edit/edit-text.ts';
import { unifiedDiff } from '../../config/edit/unified-diff.ts';
import type { StageUse, TriggerConfig } from '../../config/model.ts';
import { nameOf, usesOf } from '../../config/uses-of.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { git } from '../git-state.ts';

/** What a patch changes. */
export type TriggerChange =
  | { readonly kind: 'status'; readonly status: 'active' | 'paused' }
  /** @param filter its name */
  | { readonly kind: 'filter'; readonly filter: string; readonly expression: string };

export type MadePatch =
  | {
      readonly ok: true;
      /** Where the patch applies: below the root of the git work tree, or below the config folder where there is none. */
      readonly file: string;
      /** A unified diff; empty if nothing changes. */
      readonly patch: string;
      /** Whether the file is not the trigger's own, so that other triggers change as well. */
      readonly concernsOthers: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** Makes a patch that changes a trigger in its file, for a commit: the gateway itself changes no file. */
export async function patchOf(
  trigger: TriggerConfig,
  change: TriggerChange,
  { sources, root }: { readonly sources: Sources; readonly root: string },
): Promise<MadePatch> {
  const place =
    change.kind === 'status' ? trigger.place : filterOf(trigger, change.filter)?.optionPlaces('/expression');
  if (place === undefined)
    return { ok: false, reason: `The trigger has no filter ${JSON.stringify(Object(change).filter)}.` };
  const source = sources.get(place.file);
  if (source?.document === undefined) return { ok: false, reason: `The file ${place.file} cannot be edited.` };
  const edited = edit({ text: source.text, document: source.document }, place, change);
  if (edited === undefined)
    return { ok: false, reason: `${place.file} declares it in a way that must be edited by hand.` };
  const file = await pathInPatch(place.file, root);
  return {
    ok: true,
    file,
    patch: unifiedDiff(file, source.text, edited),
    concernsOthers: place.file !== trigger.place.file,
  };
}

/** A filter of a trigger by its name. */
export function filterOf(trigger: TriggerConfig, name: string): StageUse | undefined {
  return usesOf(trigger, 'filter').find((use) => nameOf(use) === name);
}

function edit(text: EditedText, { pointer }: Place, change: TriggerChange): string | undefined {
  if (change.kind === 'status') return setTopLevel(text, 'status', change.status, 'key');
  return replaceScalar(text, pathOf(pointer), change.expression);
}

function pathOf(pointer: string): readonly (string | number)[] {
  const names = pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.map((name) => (/^\d+$/.test(name) ? Number(name) : name));
}

async function pathInPatch(file: string, root: string): Promise<string> {
  try {
    return `${(await git(dirname(file), 'rev-parse', '--show-prefix')).trimEnd()}${basename(file)}`;
  } catch {
    return relative(root, file).replaceAll('\\', '/');
  }
}
