import { dirname, resolve } from 'node:path';
import type { JsonObject } from '../../contract/index.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type {
  AuthDocument,
  DefaultsDocument,
  FilterDocument,
  NamedFilterDocument,
  RunStageDocument,
  StageDocument,
  TriggerDocument,
} from '../documents.gen.ts';
import type { CallbackConfig, FilterUse, RunUse, StageUse } from '../model.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';

/**
 * Resolves stages trigger → project defaults → gateway defaults, and expands short forms. What stands in one place of
 * the YAML is one object, however many triggers share it.
 */
export class StageResolver {
  /** What is wrong with the lists of filters and of auth that were resolved. */
  readonly problems: Problem[] = [];
  readonly #uses = new Map<string, StageUse>();
  readonly #auths = new Map<string, readonly StageUse[]>();
  readonly #runs = new Map<StageUse, RunUse>();
  readonly #filters = new Map<string, readonly FilterUse[]>();
  readonly #defaultsByProject: ReadonlyMap<string, readonly Level[]>;
  readonly #gatewayDefaults: readonly Level[];

  constructor({ gateways, projects }: DocumentSet) {
    this.#gatewayDefaults = gateways.slice(0, 1).map(levelOf);
    this.#defaultsByProject = new Map(
      projects.map((project) => [project.document.id, [levelOf(project), ...this.#gatewayDefaults]]),
    );
  }

  /** The stage of a trigger, or undefined if neither it nor the defaults have one. */
  stage(trigger: InFile<TriggerDocument>, name: 'dedup' | 'run' | 'respond'): StageUse | undefined {
    for (const { file, base, stages } of this.#levels(trigger)) {
      const written = stages[name];
      if (written !== undefined) return this.use(file, `${base}/${name}`, written);
    }
    return undefined;
  }

  /** The auth plugins of a trigger, in the order in which they are asked; undefined if there are none. */
  auth(trigger: InFile<TriggerDocument>): readonly StageUse[] | undefined {
    for (const { file, base, stages } of this.#levels(trigger)) {
      if (stages.auth !== undefined) return this.authUses(file, `${base}/auth`, stages.auth);
    }
    return undefined;
  }

  /** The run stage of a trigger, with how often it may be tried; undefined if there is none. */
  run(trigger: InFile<TriggerDocument>): RunUse | undefined {
    const use = this.stage(trigger, 'run');
    const written = this.setting(trigger, 'run');
    if (use === undefined || written === undefined) return undefined;
    const run = this.#runs.get(use) ?? { ...use, ...runLimits(written) };
    this.#runs.set(use, run);
    return run;
  }

  /** Who is told of runs of a trigger that have ended. */
  callback(trigger: InFile<TriggerDocument>): CallbackConfig | undefined {
    const level = this.#levels(trigger).find(({ stages }) => stages.callback !== undefined);
    const written = level?.stages.callback;
    if (level === undefined || written === undefined) return undefined;
    const { file, base } = level;
    return { ...written, folder: resolve(dirname(file)), place: { file, pointer: `${base}/callback` } };
  }

  /** What a trigger, or else its defaults, say of something that is no plugin's. */
  setting<Name extends 'record' | 'sessions' | 'run'>(
    trigger: InFile<TriggerDocument>,
    name: Name,
  ): DefaultsDocument[Name] | undefined {
    return this.#levels(trigger).find(({ stages }) => stages[name] !== undefined)?.stages[name];
  }

  /** The filters of a trigger, in order. */
  filters(trigger: InFile<TriggerDocument>): readonly FilterUse[] {
    for (const { file, base, stages } of this.#levels(trigger)) {
      if (stages.filter !== undefined) return this.#filterUses(file, `${base}/filter`, stages.filter);
    }
    return [];
  }

  /** What is written at a place; a string is the name of a plugin without options. */
  use(file: string, pointer: string, written: StageDocument | string): StageUse {
    const key = `${file}\0${pointer}`;
    const known = this.#uses.get(key);
    if (known) return known;
    const made = typeof written === 'string' ? shortUse(file, pointer, written) : longUse(file, pointer, written);
    this.#uses.set(key, made);
    return made;
  }

  /** The auth plugins that are written at a place: one, or a list. */
  authUses(file: string, pointer: string, written: AuthDocument): readonly StageUse[] {
    const key = `${file}\0${pointer}`;
    const known = this.#auths.get(key);
    if (known) return known;
    const made = Array.isArray(written)
      ? written.map((use, index) => this.use(file, `${pointer}/${index}`, use))
      : [this.use(file, pointer, written)];
    this.#auths.set(key, made);
    this.problems.push(...unreachable(made));
    return made;
  }

  #levels(trigger: InFile<TriggerDocument>): readonly Level[] {
    const defaults = this.#defaultsByProject.get(trigger.document.project) ?? this.#gatewayDefaults;
    return [{ file: trigger.file, base: '', stages: trigger.document }, ...defaults];
  }

  #filterUses(file: string, pointer: string, written: FilterDocument): readonly FilterUse[] {
    const key = `${file}\0${pointer}`;
    const known = this.#filters.get(key);
    if (known) return known;
    const made = expandFilters(file, pointer, written);
    this.#filters.set(key, made);
    this.problems.push(...duplicateNames(made));
    return made;
  }
}

/** Without `retry` there is one attempt. */
const noRetry = { attempts: 1, backoff: 0, max: 0 };

function runLimits({ concurrency, timeout: timeoutMs, retry = noRetry }: RunStageDocument) {
  const { attempts, backoff: backoffMs, max: maxMs } = retry;
  return { concurrency, timeoutMs, retry: { attempts, backoffMs, maxMs } };
}

interface Level {
  readonly file: string;
  /** Pointer of what holds the stages. */
  readonly base: string;
  readonly stages: DefaultsDocument;
}

function levelOf({ file, document }: InFile<{ readonly defaults: DefaultsDocument }>): Level {
  return { file, base: '/defaults', stages: document.defaults };
}

function expandFilters(file: string, pointer: string, written: FilterDocument): readonly FilterUse[] {
  if (typeof written === 'string')
    return [{ ...shortUse(file, pointer, 'jsonata', { expression: written }), name: 'filter 1' }];
  if (!Array.isArray(written)) return [namedFilter(file, pointer, written, 0)];
  return written.map((filter, index) => namedFilter(file, `${pointer}/${index}`, filter, index));
}

function namedFilter(file: string, pointer: string, { name, ...use }: NamedFilterDocument, index: number): FilterUse {
  return { ...longUse(file, pointer, use), name: name ?? `filter ${index + 1}` };
}

function duplicateNames(filters: readonly FilterUse[]): readonly Problem[] {
  const names = filters.map(({ name }) => name);
  const repeated = filters.filter(({ name }, index) => names.indexOf(name) !== index);
  const message = 'another filter has this name';
  const hint = 'The name tells which filter dropped a request: choose another.';
  return repeated.map(({ place }) =>
    errorAt(place.file, `${place.pointer}/name`, 'duplicate_filter_name', message, hint),
  );
}

/** What is never asked. It would look as if it kept somebody out. */
function unreachable(uses: readonly StageUse[]): readonly Problem[] {
  const open = uses.findIndex(({ uses: name }) => name === 'none');
  const message = 'this is never asked: `none`, which stands before it, lets everyone in';
  const hint = 'Put `none` last, or take it away.';
  return uses
    .slice(open === -1 ? uses.length : open + 1)
    .map(({ place }) => errorAt(place.file, `${place.pointer}/uses`, 'unreachable_auth', message, hint));
}

const noOptions: JsonObject = Object.freeze({});

function longUse(file: string, pointer: string, { uses, with: options = noOptions }: StageDocument): StageUse {
  return {
    uses,
    with: options,
    folder: resolve(dirname(file)),
    place: { file, pointer },
    optionPlaces: (option) => ({ file, pointer: `${pointer}/with${option}` }),
  };
}

/** One value stands for the whole stage, so every problem of its options is there. */
function shortUse(file: string, pointer: string, uses: string, options: JsonObject = noOptions): StageUse {
  const place = { file, pointer };
  return { uses, with: options, folder: resolve(dirname(file)), place, optionPlaces: () => place };
}
