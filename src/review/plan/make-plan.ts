import { triggerId } from '../../config/trigger-key.ts';
import type { JsonObject } from '../../contract/index.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { OpenConfig } from '../open-config.ts';
import { forTriggers, type TriableRequest } from '../recorded-requests.ts';
import type { SourcedRequest } from '../request-source.ts';
import { compareAccess } from './access.ts';
import { compareBehaviour } from './behaviour.ts';
import type { Behaviour, Plan, PlannedSide, Witness } from './plan.ts';
import { compareStructure } from './structure.ts';
import { findWidenings } from './widening.ts';
import { findWitness, witnessed } from './witness.ts';

/** A config to compare. */
export interface PlanSide extends OpenConfig {
  /** The config folder. */
  readonly root: string;
  readonly label: string;
}

export interface PlanOptions {
  /** Requests to try on both configs; undefined: none. */
  readonly requests: readonly SourcedRequest[] | undefined;
  /** Whether bodies of requests are shown with their values. */
  readonly showBodies: boolean;
  /** Milliseconds since the epoch: which secrets have expired. */
  readonly now: number;
  readonly onProgress?: (tried: number) => void;
}

/** How long the search for counterexamples may take in all, and for one filter, in milliseconds. */
const allWitnessesMs = 3000;
const oneWitnessMs = 2000;
/** How many recorded bodies of a trigger the search for counterexamples starts from. */
const mostKnownBodies = 100;

/** Compares two configs; without a base everything is new. */
export async function makePlan(base: PlanSide | undefined, head: PlanSide, options: PlanOptions): Promise<Plan> {
  const requests = options.requests && triableOf(base, head, options.requests);
  const behaviour = requests && base && (await compareBehaviour(base.snapshot, head.snapshot, requests, options));
  return {
    base: sideOf(base),
    head: sideOf(head),
    structure: compareStructure(base, head),
    access: compareAccess(base?.snapshot, head.snapshot, options.now),
    warnings: findWidenings(base?.snapshot, head.snapshot),
    behaviour,
    witnesses: base === undefined ? [] : await witnessesOf(base, head, behaviour, requests ?? [], options),
  };
}

function sideOf(side: PlanSide | undefined): PlannedSide {
  return { label: side?.label ?? 'nothing', revision: side?.config.revision };
}

/** A body without a trigger is for all triggers of both configs. */
function triableOf(
  base: PlanSide | undefined,
  head: PlanSide,
  requests: readonly SourcedRequest[],
): readonly TriableRequest[] {
  const triggers = new Map(
    [...(base?.config.triggers ?? []), ...head.config.triggers].map((trigger) => [
      triggerId(trigger.project.id, trigger.key),
      trigger,
    ]),
  );
  return forTriggers(requests, [...triggers.values()]);
}

/** One for each changed filter whose change no recorded request shows. */
async function witnessesOf(
  base: PlanSide,
  head: PlanSide,
  behaviour: Behaviour | undefined,
  requests: readonly TriableRequest[],
  { now, showBodies }: PlanOptions,
): Promise<readonly Witness[]> {
  const end = performance.now() + allWitnessesMs;
  const shown = new Set((behaviour?.groups ?? []).map(({ trigger, filter }) => `${trigger}\n${filter}`));
  const requestsOf = Map.groupBy(requests, ({ project, trigger }) => triggerId(project, trigger));
  const witnesses: Witness[] = [];
  for (const { project, key } of head.config.triggers) {
    const before = base.snapshot.find(project.id, key);
    const after = head.snapshot.find(project.id, key);
    if (before === undefined || after === undefined) continue;
    const changes = witnessed(before, after).filter(({ name }) => !shown.has(`${project.id}/${key}\n${name}`));
    if (changes.length === 0) continue;
    const ofTrigger = requestsOf.get(triggerId(project.id, key)) ?? [];
    const known = { ofTests: bodiesOfTests(before, after), recorded: bodiesOfRequests(ofTrigger) };
    for (const change of changes) {
      const deadline = Math.min(end, performance.now() + oneWitnessMs);
      const witness = await findWitness(base, head, { before, after }, change, known, { deadline, now, showBodies });
      witnesses.push(witness);
    }
  }
  return witnesses;
}

function bodiesOfTests(...triggers: readonly LiveTrigger[]): readonly JsonObject[] {
  return triggers.flatMap(({ config }) =>
    config.tests.flatMap(({ body }): readonly JsonObject[] => (body === undefined ? [] : [body])),
  );
}

function bodiesOfRequests(requests: readonly TriableRequest[]): readonly JsonObject[] {
  return requests
    .slice(0, mostKnownBodies)
    .flatMap(({ bodyText }): readonly JsonObject[] => (bodyText === undefined ? [] : [JSON.parse(bodyText)]));
}
