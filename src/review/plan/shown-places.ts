import type { Place } from '../../diagnostics/problem.ts';
import type { SourceFile, Sources } from '../../diagnostics/source.ts';
import type { Plan } from './plan.ts';

/** Where a config folder is, and how its files are named for people. */
export interface ShownFolder {
  readonly root: string;
  /** Undefined: as they are. */
  readonly shownAs?: string | undefined;
}

/** A checked-out config is in a temporary folder: its files are named as git names them. */
export function showPlaces(plan: Plan, folder: ShownFolder): Plan {
  const shown = <T extends { readonly place: Place | undefined }>(one: T): T => ({
    ...one,
    place: one.place && showPlace(one.place, folder),
  });
  if (folder.shownAs === undefined) return plan;
  return {
    ...plan,
    structure: plan.structure.map((change) => ({ ...shown(change), details: change.details.map(shown) })),
    behaviour: plan.behaviour && { ...plan.behaviour, groups: plan.behaviour.groups.map(shown) },
  };
}

/** The same for the texts that places are looked up in. */
export function showSources(sources: Sources, folder: ShownFolder): Sources {
  return new Map(
    [...sources].map(([file, source]): [string, SourceFile] => {
      const shown = showFile(file, folder);
      // A source composes its document on first use.
      return [shown, Object.create(source, { file: { value: shown } })];
    }),
  );
}

export function showPlace(place: Place, folder: ShownFolder): Place {
  return { ...place, file: showFile(place.file, folder) };
}

function showFile(file: string, { root, shownAs }: ShownFolder): string {
  return shownAs !== undefined && file.startsWith(root) ? `${shownAs}${file.slice(root.length)}` : file;
}
