// Generated from schemas/source/plan.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject } from '../../contract/index.ts';

/**
 * What `pullcord plan --format json` prints. Members may be added within a version; none is taken away or gets another meaning.
 */
export interface PlanDocument {
  /**
   * Version of this format.
   */
  version: 1;
  /**
   * The plan in one line.
   */
  summary: string;
  /**
   * Whether anything changes: what `--detailed-exitcode` tells.
   */
  changes: boolean;
  /**
   * What is compared with.
   */
  base: {
    /**
     * As it was named: a git revision or a folder; `nothing` if there was no config.
     */
    label: string;
    /**
     * Content hash of all config files; absent if there is no config.
     */
    revision?: string;
  };
  /**
   * What is compared.
   */
  head: {
    /**
     * As it was named: a git revision or a folder; `nothing` if there was no config.
     */
    label: string;
    /**
     * Content hash of all config files; absent if there is no config.
     */
    revision?: string;
  };
  /**
   * What is declared otherwise: the gateway first, then projects, keys and triggers.
   */
  structure: PlannedChange[];
  /**
   * Who may fire other triggers than before.
   */
  access: PlannedAccess[];
  /**
   * What is opened that was closed before: what `--fail-on widened-access` looks at.
   */
  warnings: PlannedWarning[];
  behaviour?: PlannedBehaviour;
  /**
   * A made-up request for each changed filter that no given request tells from what it was.
   */
  witnesses: PlannedWitness[];
}
/**
 * Something that was added, removed or changed.
 */
export interface PlannedChange {
  /**
   * What it is.
   */
  subject: 'gateway' | 'project' | 'key' | 'trigger';
  /**
   * Its id; of a trigger `project/key`.
   */
  id: string;
  /**
   * What became of it.
   */
  action: 'added' | 'removed' | 'changed';
  /**
   * Its parts that changed; of what is new, what it has. Empty if it was removed.
   */
  details: PlannedDetail[];
  /**
   * Where it stands: `file:line:column`.
   */
  place: string;
}
/**
 * A part of it, before and after.
 */
export interface PlannedDetail {
  /**
   * The part.
   */
  what: string;
  /**
   * What it was, in words; absent if there was none. Never a secret.
   */
  before?: string;
  /**
   * What it is, in words; absent if there is none any more.
   */
  after?: string;
  /**
   * Where it stands: `file:line:column`.
   */
  place: string;
}
/**
 * What a caller gains and loses.
 */
export interface PlannedAccess {
  /**
   * Id of an API key, `anyone`, or the callers that another auth plugin knows.
   */
  caller: string;
  /**
   * Triggers that it may fire now and could not before.
   */
  gains: string[];
  /**
   * Triggers that it may not fire any more.
   */
  loses: string[];
}
/**
 * Something that a reviewer should mean.
 */
export interface PlannedWarning {
  /**
   * Stable: see the problem codes.
   */
  code: string;
  /**
   * What is opened, in words.
   */
  message: string;
  /**
   * Where it stands: `file:line:column`.
   */
  place: string;
}
/**
 * How the given requests come out under both configs; absent if none were given.
 */
export interface PlannedBehaviour {
  /**
   * How many were tried.
   */
  requests: number;
  /**
   * How many of them had a recorded verdict.
   */
  recorded: number;
  /**
   * How many of those come out under the base as they were recorded.
   */
  asRecorded: number;
  /**
   * How many have masked values, on which filters cannot be judged.
   */
  masked: number;
  /**
   * How many come out otherwise.
   */
  changed: number;
  /**
   * How many of those are accepted now and were not before.
   */
  newlyAccepted: number;
  /**
   * How many of those were accepted before: what `--fail-on dropped-requests` looks at.
   */
  noLongerAccepted: number;
  /**
   * The requests that come out otherwise, by trigger and by how; the most first.
   */
  groups: PlannedGroup[];
}
/**
 * Requests of one trigger that change in the same way.
 */
export interface PlannedGroup {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * How they came out.
   */
  before: string;
  /**
   * How they come out now.
   */
  after: string;
  /**
   * The filter that decides, after the change or else before it; absent where none does.
   */
  filter?: string;
  /**
   * How many they are.
   */
  count: number;
  /**
   * The first few of them.
   */
  samples: PlannedSample[];
  /**
   * Where it stands: `file:line:column`.
   */
  place?: string;
}
/**
 * One of them.
 */
export interface PlannedSample {
  /**
   * Id of the recorded request, or name of the file.
   */
  id: string;
  /**
   * When it arrived.
   */
  at: string;
  /**
   * Id of the key that sent it; absent if that is not known.
   */
  caller?: string;
  /**
   * Its body, with its values masked unless `--show-bodies` was given; absent if it had none.
   */
  body?: JsonObject;
}
/**
 * A filter that changed, and what shows it.
 */
export interface PlannedWitness {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * Name of the filter.
   */
  filter: string;
  /**
   * What became of it.
   */
  change: 'added' | 'removed' | 'changed';
  /**
   * A small body that comes out otherwise; null if none was found, which is no proof that there is none.
   */
  found: null | PlannedWitnessBody;
  /**
   * How many bodies were tried.
   */
  tried: number;
  /**
   * Where it stands: `file:line:column`.
   */
  place: string;
}
/**
 * The body, and how it comes out.
 */
export interface PlannedWitnessBody {
  /**
   * The body of the request.
   */
  body: JsonObject;
  /**
   * How it came out.
   */
  before: string;
  /**
   * How it comes out now.
   */
  after: string;
}
