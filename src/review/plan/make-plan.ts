import type { TestBody } from '../../config/model.ts';
import { triggerId } from '../../config/trigger-key.ts';
import type { JsonObject } from '../../contract/index.ts';
import { readRecordedBody } from '../../runtime/recording/recorded-body.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import { forTriggers, type TriableRequest } from '../recorded-requests.ts';
import type { SourcedRequest } from '../request-source.ts';
import { compareAccess } from './access.ts';
import { compareBehaviour } from './behaviour.ts';
import type { Behaviour, Plan, PlannedSide, Witness } from './plan.ts';
import type { PlanSide } from './plan-side.ts';
import { compareStructure } from './structure.ts';
import { findWidenings } from './widening/find-widenings.ts';
import { widenedFilters } from './widening/widened-filters.ts';
import { findWitness, witnessed } from './witness.ts';

export interface PlanOptions {
  /** Requests to try on both configs; undefined: none. */
  readonly requests: readonly SourcedRequest[] | undefined;
  /** Whether bodies of requests are shown with their values. */
  readonly showBodies: boolean;
  /** Milliseconds since the epoch: which secrets have expired. */
  readonly now: number;
  readonly onProgress?: (tried: number) => void;
}

/**
 * What the search for counterexamples may cost in all, and for one filter: about how many evaluations of a simple filter.
 * Counted, so that it ends at the same body on any machine. Many changed filters share the whole:
 * each gets an equal part of what those before it left.
 */
const allWitnessesWork = 200_000;
const oneWitnessWork = 10_000;
/** How many recorded bodies of a trigger the search for counterexamples starts from. */
const mostKnownBodies = 100;

/** Compares two configs; without a base everything is new. */
export async function makePlan(base: PlanSide | undefined, head: PlanSide, options: PlanOptions): Promise<Plan> {
  const requests = options.requests && triableOf(base, head, options.requests);
  const compared = requests && base && (await compareBehaviour(base.snapshot, head.snapshot, requests, options));
  const { behaviour, impact } = compared ?? {};
  const witnesses = base === undefined ? [] : await witnessesOf(base, head, behaviour, requests ?? [], options);
  const declared = findWidenings(base, head, options.now);
  return {
    base: sideOf(base),
    head: sideOf(head),
    structure: compareStructure(base, head),
    access: compareAccess(base?.snapshot, head.snapshot, options.now),
    warnings: [...widenedFilters(head.config, declared, behaviour, witnesses), ...declared],
    behaviour,
    impact,
    witnesses,
  };
}

function sideOf(side: PlanSide | undefined): PlannedSide {
  return { label: side?.label ?? 'nothing', revision: side?.config.revision, faults: side?.faults ?? 0 };
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
  const shown = new Set((behaviour?.groups ?? []).map(({ trigger, filter }) => `${trigger}\n${filter}`));
  const requestsOf = Map.groupBy(requests, ({ project, trigger }) => triggerId(project, trigger));
  const searches = head.config.triggers.flatMap(({ project, key }) => {
    const before = base.snapshot.find(project.id, key);
    const after = head.snapshot.find(project.id, key);
    if (before === undefined || after === undefined) return [];
    const changes = witnessed(before, after).filter(({ name }) => !shown.has(`${project.id}/${key}\n${name}`));
    return changes.map((change) => ({ before, after, change }));
  });
  let left = allWitnessesWork;
  // Many triggers may inherit one filter: what was found for one of them is tried first for the others.
  const foundBefore = new Map<string, readonly [JsonObject]>();
  const witnesses: Witness[] = [];
  for (const [index, { before, after, change }] of searches.entries()) {
    const known = {
      ofTests: [...(foundBefore.get(change.name) ?? []), ...bodiesOfTests(before, after)],
      recorded: bodiesOfRequests(requestsOf.get(after.id) ?? [], after),
    };
    const work = Math.min(oneWitnessWork, Math.floor(left / (searches.length - index)));
    const search = { work, now, showBodies };
    const { witness, spent, isInvented } = await findWitness(base, head, { before, after }, change, known, search);
    left = Math.max(0, left - spent);
    // What callers sent is not shown for other triggers.
    if (isInvented && witness.found !== undefined) foundBefore.set(change.name, [witness.found.body as JsonObject]);
    witnesses.push(witness);
  }
  return witnesses;
}

function bodiesOfTests(...triggers: readonly LiveTrigger[]): readonly JsonObject[] {
  return triggers.flatMap(({ config }) => config.tests.flatMap(({ body }): readonly JsonObject[] => bodyMembers(body)));
}

function bodyMembers(body: TestBody | undefined): readonly JsonObject[] {
  switch (body?.kind) {
    case 'json':
      return [Array.isArray(body.value) ? { items: body.value } : (body.value as JsonObject)];
    case 'form':
      return [body.value];
    case 'text':
      return [{ text: body.value }];
    case undefined:
      return [];
  }
}

function bodiesOfRequests(
  requests: readonly TriableRequest[],
  { body: { jsonFields } }: LiveTrigger,
): readonly JsonObject[] {
  return requests.slice(0, mostKnownBodies).flatMap((request): readonly JsonObject[] => {
    const body = readRecordedBody(request, jsonFields);
    return body === undefined ? [] : [body.members];
  });
}
