import type { JsonValue } from '../../contract/index.ts';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { Impact } from './impact/impact.ts';

/** What changes between two configs, and what that means for callers. */
export interface Plan {
  readonly base: PlannedSide;
  readonly head: PlannedSide;
  readonly structure: readonly StructureChange[];
  readonly access: readonly AccessChange[];
  readonly warnings: readonly Widening[];
  /** Undefined if there were no requests to try, or no base to try them on. */
  readonly behaviour: Behaviour | undefined;
  /** Undefined if there is nothing to say about limits, waiting and consumption. */
  readonly impact: Impact | undefined;
  readonly witnesses: readonly Witness[];
}

export interface PlannedSide {
  /** As the user named it: a git ref or a folder. */
  readonly label: string;
  /** Content hash of all config files; undefined if there is no config. */
  readonly revision: string | undefined;
  /** How many errors it has: only its valid part is compared. 0 if it is whole. */
  readonly faults: number;
}

/** Something that was added, removed or changed, in words. */
export interface StructureChange {
  readonly subject: 'gateway' | 'project' | 'key' | 'trigger';
  /** An id; of a trigger `project/key`. */
  readonly id: string;
  readonly action: 'added' | 'removed' | 'changed';
  /** Empty if it was removed. */
  readonly details: readonly StructureDetail[];
  readonly place: Place;
}

export interface StructureDetail {
  /** The part, e.g. `respond` or `filter "paying customers"`. */
  readonly what: string;
  /** Undefined if there was none before. */
  readonly before: string | undefined;
  /** Undefined if it was removed. */
  readonly after: string | undefined;
  /** In the head if the part still exists, else in the base. */
  readonly place: Place;
}

/** Which triggers a caller gains and loses. */
export interface AccessChange {
  /** Id of an API key, `anyone`, or the callers known to another auth plugin. */
  readonly caller: string;
  /** Triggers as `project/key`. */
  readonly gains: readonly string[];
  readonly loses: readonly string[];
}

/** Something that opens what was closed before: a reviewer should confirm that it is intended. */
export interface Widening {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly place: Place;
  /** Whether it lets in, or lets out, more than before. Otherwise it only deserves a look. */
  readonly widens: boolean;
  /** `project/key` of the trigger that it is about; undefined if it is about something else. */
  readonly trigger?: string;
}

/** The outcomes of requests under both configs. */
export interface Behaviour {
  /** How many were tried. */
  readonly requests: number;
  /** How many had a recorded verdict, and how many of those have the same verdict under the base. */
  readonly recorded: number;
  readonly asRecorded: number;
  /** How many have masked values, for which filters cannot be predicted. */
  readonly masked: number;
  /** How many have no verdict, since it cannot be known, by reason. They do not count as changed. */
  readonly notJudged: readonly { readonly reason: string; readonly count: number }[];
  readonly changed: number;
  readonly newlyAccepted: number;
  readonly noLongerAccepted: number;
  /** How many of those a limit refuses. */
  readonly newlyLimited: number;
  /** How many were recorded for their outcome alone: they show what changes, not how often. */
  readonly outcomeOnly: number;
  /** The most requests first. */
  readonly groups: readonly BehaviourGroup[];
}

/** Requests of one trigger that change in the same way. */
export interface BehaviourGroup {
  /** `project/key` */
  readonly trigger: string;
  readonly before: string;
  readonly after: string;
  /** The filter that decides, after the change or else before it; undefined if no filter decides. */
  readonly filter: string | undefined;
  /** Whether they were dropped and are accepted now. */
  readonly opens: boolean;
  readonly count: number;
  readonly samples: readonly Sample[];
  readonly place: Place | undefined;
}

export interface Sample {
  readonly id: string;
  /** Milliseconds since the epoch; undefined if the request has no time of its own. */
  readonly at: number | undefined;
  readonly caller: string | undefined;
  /** Its values are masked unless the user wants to see them. */
  readonly body: JsonValue | undefined;
}

/** A counterexample: a generated request on which the two versions of a changed filter disagree. */
export interface Witness {
  /** `project/key` */
  readonly trigger: string;
  readonly filter: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Undefined: none was found, which does not prove that none exists. */
  readonly found: WitnessBody | undefined;
  /** How many bodies were tried. */
  readonly tried: number;
  readonly place: Place;
}

export interface WitnessBody {
  readonly body: JsonValue;
  readonly before: string;
  readonly after: string;
  /** Whether it was dropped and is accepted now. */
  readonly opens: boolean;
}

/** Whether nothing changes. */
export function isEmptyPlan({ structure, access, behaviour }: Plan): boolean {
  return structure.length === 0 && access.length === 0 && (behaviour?.changed ?? 0) === 0;
}
