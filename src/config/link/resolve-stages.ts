import { type Stage, stages } from '../../contract/index.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { DefaultsDocument, TriggerDocument } from '../documents.gen.ts';
import type { StageUse, UseOf } from '../model.ts';
import { mapInSlices } from '../slices.ts';
import { type DefaultsLevel, descriptorOf, type InheritedSetting, inheritedSettings } from '../stages.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';
import { usesOf, type WrittenStage } from './written-uses.ts';

/** What a trigger has, its defaults included. */
export interface ResolvedTrigger {
  /** By stage, in order; empty where neither the trigger nor its defaults have one. */
  readonly uses: { readonly [S in Stage]: readonly UseOf<S>[] };
  readonly settings: { readonly [Name in InheritedSetting]?: WrittenSetting<Name> };
}

/** A setting as it is written, and where. */
export interface WrittenSetting<Name extends InheritedSetting> {
  readonly file: string;
  readonly pointer: string;
  readonly value: NonNullable<DefaultsDocument[Name]>;
}

export interface ResolvedStages {
  readonly triggers: ReadonlyMap<InFile<TriggerDocument>, ResolvedTrigger>;
  /** Of the gateway, for requests whose trigger is unknown. */
  readonly defaultAuth: readonly StageUse[];
  /** Faults of the lists that were resolved. */
  readonly problems: readonly Problem[];
}

/**
 * Resolves the stages and settings of every trigger: its own, else those of its project, else those of the gateway. One
 * place in the YAML is one object, however many triggers share it.
 */
export async function resolveStages({ gateways, projects, triggers }: DocumentSet): Promise<ResolvedStages> {
  const ofGateway = gateways.slice(0, 1).map((gateway) => levelOf('gateway', gateway));
  const ofProjects = new Map(
    projects.map((project) => [project.document.id, [levelOf('project', project), ...ofGateway]]),
  );
  const places = new Places();
  const resolve = (trigger: InFile<TriggerDocument>): [InFile<TriggerDocument>, ResolvedTrigger] => {
    const { file, document } = trigger;
    const own: Level = { kind: 'trigger', file, base: '', fields: document };
    const levels = [own, ...(ofProjects.get(document.project) ?? ofGateway)];
    return [trigger, { uses: resolvedUses(levels, places), settings: resolvedSettings(levels) }];
  };
  const resolved = new Map(await mapInSlices(triggers, resolve));
  const defaultAuth = resolvedUses(ofGateway, places).auth;
  return { triggers: resolved, defaultAuth, problems: places.problems() };
}

interface Level {
  readonly kind: 'trigger' | DefaultsLevel;
  readonly file: string;
  /** Pointer of what holds the fields. */
  readonly base: string;
  readonly fields: DefaultsDocument;
}

function levelOf(kind: DefaultsLevel, { file, document }: InFile<{ readonly defaults: DefaultsDocument }>): Level {
  return { kind, file, base: '/defaults', fields: document.defaults };
}

function resolvedUses(levels: readonly Level[], places: Places): ResolvedTrigger['uses'] {
  const entries = stages.map((stage) => {
    const { inheritsFrom } = descriptorOf(stage);
    const level = levels.find(
      ({ kind, fields }) => fields[stage] !== undefined && (kind === 'trigger' || inheritsFrom.includes(kind)),
    );
    const written = level?.fields[stage];
    const uses = level && written && places.usesAt(stage, level.file, `${level.base}/${stage}`, written);
    return [stage, uses ?? none] as const;
  });
  // `usesOf` gives each use what its stage adds to it.
  return Object.fromEntries(entries) as ResolvedTrigger['uses'];
}

const none: readonly StageUse[] = Object.freeze([]);

function resolvedSettings(levels: readonly Level[]): ResolvedTrigger['settings'] {
  const entries = inheritedSettings.flatMap((name) => {
    const level = levels.find(({ fields }) => fields[name] !== undefined);
    return level ? [[name, { file: level.file, pointer: `${level.base}/${name}`, value: level.fields[name] }]] : [];
  });
  return Object.fromEntries(entries);
}

/** The uses at each place of the YAML that some trigger takes them from. */
class Places {
  readonly #known = new Map<string, { readonly stage: Stage; readonly uses: readonly StageUse[] }>();

  usesAt(stage: Stage, file: string, pointer: string, written: WrittenStage): readonly StageUse[] {
    const key = `${file}\0${pointer}`;
    const known = this.#known.get(key) ?? { stage, uses: usesOf(stage, file, pointer, written) };
    this.#known.set(key, known);
    return known.uses;
  }

  problems(): readonly Problem[] {
    return [...this.#known.values()].flatMap(({ stage, uses }) => duplicateNames(stage, uses));
  }
}

function duplicateNames(stage: Stage, uses: readonly StageUse[]): readonly Problem[] {
  const { named } = descriptorOf(stage);
  if (named === undefined) return [];
  const names = uses.map((use) => Reflect.get(use, 'name'));
  const repeated = uses.filter((_, index) => names.indexOf(names[index]) !== index);
  const message = `another ${stage} has this name`;
  const hint = `The name says which ${stage} dropped a request: choose another.`;
  return repeated.map(({ place }) => errorAt(place.file, `${place.pointer}/name`, named.duplicateCode, message, hint));
}
