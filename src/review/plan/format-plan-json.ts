import { describePlace } from '../../diagnostics/describe-place.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { isEmptyPlan, type Plan } from './plan.ts';
import { summaryLine } from './summary.ts';

/** Prints a plan as one JSON object, as schemas/source/plan.schema.json describes it. */
export function formatPlanJson(plan: Plan, sources: Sources): string {
  const placed = <T extends { readonly place?: Parameters<typeof describePlace>[0] | undefined }>(one: T) => ({
    ...one,
    place: one.place && describePlace(one.place, sources),
  });
  const document = {
    version: 1,
    summary: summaryLine(plan),
    changes: !isEmptyPlan(plan),
    base: plan.base,
    head: plan.head,
    structure: plan.structure.map((change) => ({ ...placed(change), details: change.details.map(placed) })),
    access: plan.access,
    warnings: plan.warnings.map(placed),
    behaviour: plan.behaviour && {
      ...plan.behaviour,
      groups: plan.behaviour.groups.map((group) => ({
        ...placed(group),
        samples: group.samples.map((sample) => ({ ...sample, at: new Date(sample.at).toISOString() })),
      })),
    },
    witnesses: plan.witnesses.map(({ found, ...witness }) => ({ ...placed(witness), found: found ?? null })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
