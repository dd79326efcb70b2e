import type { NamedUse, StageUse } from '../../../config/model.ts';
import { usesOf } from '../../../config/uses-of.ts';
import { type Stage, stages } from '../../../contract/index.ts';
import { factsOf } from '../../meaning/use-facts.ts';
import { changedFiles, type NamedFile } from '../../named-files/named-files.ts';
import { oneLine } from '../../words.ts';
import type { Widening } from '../plan.ts';
import type { PlanSide, ReviewedPlugin } from '../plan-side.ts';
import { notice, widening } from './widening.ts';

/** Stages that decide who may fire, and which requests are worth a run. */
const deciding: ReadonlySet<Stage> = new Set(['auth', 'filter', 'dedup']);

/** What a config names by a path and that has other content than before: plugins, keys, programs. */
export function contentWidenings(base: PlanSide, head: PlanSide): readonly Widening[] {
  const found = [
    ...head.plugins.flatMap((plugin) => pluginWidenings(base.plugins, plugin)),
    ...useWidenings('auth', base.config.defaultAuth, head.config.defaultAuth),
    ...head.config.triggers.flatMap((trigger) => {
      const old = base.snapshot.find(trigger.project.id, trigger.key)?.config;
      if (old === undefined) return [];
      return [
        ...stages.flatMap((stage) => useWidenings(stage, usesOf(old, stage), usesOf(trigger, stage))),
        // A callback is signed by its secret; who has the admin token is let in.
        ...secretWidenings(
          notice,
          'the callback',
          [base.secretFiles, old.callback],
          [head.secretFiles, trigger.callback],
        ),
      ];
    }),
    ...secretWidenings(
      widening,
      'the admin token',
      [base.secretFiles, base.config.admin],
      [head.secretFiles, head.config.admin],
    ),
  ];
  // A use that many triggers inherit is in one place.
  return [...new Map(found.map((one) => [JSON.stringify([one.message, one.place]), one])).values()];
}

/** By what a plugin is called, wherever its code is: another file may export the same. */
function pluginWidenings(
  before: readonly ReviewedPlugin[],
  { reference, exports, digest }: ReviewedPlugin,
): readonly Widening[] {
  return exports.flatMap(({ stage, name }) => {
    const old = before.find((one) => one.exports.some((other) => other.stage === stage && other.name === name));
    if (old === undefined || (old.digest === digest && digest !== undefined)) return [];
    const words = digest === undefined ? 'may have other code: it was not found' : 'has other code';
    const warn = deciding.has(stage) ? widening : notice;
    return [warn('plugin_changed', `${stage} plugin ${name} ${words}`, reference.place)];
  });
}

function useWidenings(stage: Stage, before: readonly StageUse[], after: readonly StageUse[]): readonly Widening[] {
  const warn = deciding.has(stage) ? widening : notice;
  return after.flatMap((use, index) => {
    const old = partnerOf(use, before, index);
    if (old === undefined) return [];
    return changedFiles(factsOf(old).files, factsOf(use).files).map((file) =>
      warn('file_changed', `${fileWords(file)} in ${stage} ${use.uses}`, use.optionPlaces(`/${file.option}`)),
    );
  });
}

/** By name if uses have names, else the same plugin at the same place, or anywhere. */
function partnerOf(use: StageUse, before: readonly StageUse[], index: number): StageUse | undefined {
  const nameOf = (one: StageUse) => (one as Partial<NamedUse>).name;
  const alike = before.filter((one) => one.uses === use.uses);
  if (nameOf(use) !== undefined) {
    const named = alike.find((one) => nameOf(one) === nameOf(use));
    if (named !== undefined) return named;
  }
  const [same] = [before[index]].filter((one) => one?.uses === use.uses);
  return same ?? alike[0];
}

type Holder = Parameters<PlanSide['secretFiles']['get']>[0];

function secretWidenings(
  warn: typeof widening,
  what: string,
  [oldFiles, before]: readonly [PlanSide['secretFiles'], Holder | undefined],
  [newFiles, after]: readonly [PlanSide['secretFiles'], Holder | undefined],
): readonly Widening[] {
  const old = before && oldFiles.get(before);
  const now = after && newFiles.get(after);
  if (old === undefined || now === undefined || after === undefined) return [];
  return changedFiles([old], [now]).map((file) => warn('file_changed', `${fileWords(file)} in ${what}`, after.place));
}

function fileWords({ written, digest }: NamedFile): string {
  return `the file ${oneLine(written)} ${digest === undefined ? 'is missing' : 'has other content'}`;
}
