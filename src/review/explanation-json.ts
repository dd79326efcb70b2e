import type { ExplainedCondition } from '../contract/index.ts';
import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { ExplainedStage, Explanation } from './explain.ts';
import type { ConditionExplanation, ExplanationDocument, StageExplanation } from './explanation.gen.ts';

/** Prints an explanation as one JSON object, as schemas/source/explanation.schema.json describes it. */
export function formatExplanationJson({ request, outcome, stages }: Explanation, sources: Sources): string {
  const { verdict, by, code, status, input } = outcome;
  const { recordedVerdict, recordedBy, masked = [] } = request;
  const document: ExplanationDocument = {
    version: 1,
    trigger: `${request.project}/${request.trigger}`,
    verdict,
    ...(by !== undefined && { by }),
    ...(code !== undefined && { code }),
    status,
    ...(input !== undefined && { input }),
    ...(recordedVerdict !== undefined && {
      recorded: {
        verdict: recordedVerdict,
        ...(recordedBy !== undefined && { by: recordedBy }),
        masked: [...masked],
      },
    }),
    stages: stages.map((stage) => stageOf(stage, sources)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function stageOf({ place, conditions, ...stage }: ExplainedStage, sources: Sources): StageExplanation {
  return {
    ...stage,
    conditions: conditions.map(conditionOf),
    ...(place !== undefined && { place: describePlace(place, sources) }),
  };
}

function conditionOf({ parts, ...condition }: ExplainedCondition): ConditionExplanation {
  return { ...condition, ...(parts !== undefined && { parts: [...parts] }) };
}
