import type { JsonObject } from '../../contract/index.ts';
import { describePlace } from '../../diagnostics/describe-place.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { impactDocument } from './impact/impact-json.ts';
import { isEmptyPlan, type Plan, type WitnessBody } from './plan.ts';
import type { PlanDocument } from './plan-document.gen.ts';
import { summaryLine } from './summary.ts';

/** Prints a plan as one JSON object, as schemas/source/plan.schema.json describes it. */
export function formatPlanJson(plan: Plan, sources: Sources): string {
  return `${JSON.stringify(documentOf(plan, sources), undefined, 2)}\n`;
}

function documentOf(plan: Plan, sources: Sources): PlanDocument {
  const placed = <T extends { readonly place: Place }>({ place, ...one }: T) => ({
    ...one,
    place: describePlace(place, sources),
  });
  return {
    version: 1,
    summary: summaryLine(plan),
    changes: !isEmptyPlan(plan),
    base: sideOf(plan.base),
    head: { label: plan.head.label, ...(plan.head.revision !== undefined && { revision: plan.head.revision }) },
    structure: plan.structure.map(({ details, ...change }) => ({
      ...placed(change),
      details: details.map(({ before, after, ...detail }) => ({
        ...placed(detail),
        ...(before !== undefined && { before }),
        ...(after !== undefined && { after }),
      })),
    })),
    access: plan.access.map(({ caller, gains, loses }) => ({ caller, gains: [...gains], loses: [...loses] })),
    warnings: plan.warnings.map(({ trigger: _trigger, ...warning }) => placed(warning)),
    ...(plan.behaviour && { behaviour: behaviourOf(plan.behaviour, sources) }),
    ...(plan.impact && { impact: impactDocument(plan.impact, sources) }),
    witnesses: plan.witnesses.map(({ found, ...witness }) => ({
      ...placed(witness),
      found: found === undefined ? null : foundOf(found),
    })),
  };
}

function foundOf({ body, before, after }: WitnessBody): NonNullable<PlanDocument['witnesses'][number]['found']> {
  return { body: body as JsonObject, before, after };
}

function sideOf({ label, revision, faults }: Plan['base']): PlanDocument['base'] {
  return { label, ...(revision !== undefined && { revision }), ...(faults > 0 && { faults }) };
}

type BehaviourDocument = NonNullable<PlanDocument['behaviour']>;

function behaviourOf(
  { groups, notJudged, outcomeOnly, ...totals }: NonNullable<Plan['behaviour']>,
  sources: Sources,
): BehaviourDocument {
  return {
    ...totals,
    ...(outcomeOnly > 0 && { outcomeOnly }),
    notJudged: notJudged.map((one) => ({ ...one })),
    groups: groups.map(({ filter, place, samples, opens: _opens, ...group }) => ({
      ...group,
      ...(filter !== undefined && { filter }),
      samples: samples.map(({ id, at, caller, body }) => ({
        id,
        ...(at !== undefined && { at: new Date(at).toISOString() }),
        ...(caller !== undefined && { caller }),
        // Only objects are bodies of requests that reach a filter.
        ...(body !== undefined && { body: body as JsonObject }),
      })),
      ...(place !== undefined && { place: describePlace(place, sources) }),
    })),
  };
}
