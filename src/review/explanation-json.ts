import type { ExplainedPart, JsonValue } from '../contract/index.ts';
import { describePlace } from '../diagnostics/describe-place.ts';
import type { Sources } from '../diagnostics/source.ts';
import type { ExplainedStage, Explanation } from './explain.ts';
import type { ExplanationDocument, SmallestChange, StageExplanation } from './explanation.gen.ts';
import { withNamedNumbers } from './shown-value.ts';

/** Prints an explanation as one JSON object, as schemas/source/explanation.schema.json describes it. */
export function formatExplanationJson(
  { request, outcome, stages }: Explanation,
  sources: Sources,
  change?: SmallestChange,
): string {
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
    ...(change !== undefined && { change }),
    stages: stages.map((stage) => stageOf(stage, sources)),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function stageOf({ place, placeIn, conditions, ...stage }: ExplainedStage, sources: Sources): StageExplanation {
  return {
    ...stage,
    conditions: conditions.map(({ pointer, ...condition }) => {
      const placeOf = (offset: number) =>
        pointer === undefined || placeIn === undefined ? undefined : describePlace(placeIn(pointer, offset), sources);
      const { passes, operator } = condition;
      return { ...partOf(condition, placeOf), passes, ...(operator !== undefined && { operator }) };
    }),
    ...(place !== undefined && { place: describePlace(place, sources) }),
  };
}

/** A type, not an interface: JSON objects have any members. */
type ShownPart = {
  source: string;
  value?: JsonValue;
  error?: string;
  errorMessage?: string;
  errorPlace?: string;
  parts?: ShownPart[];
};

/** @param placeOf describes a place in the expression, if that is known */
function partOf(
  { errorMessage, errorOffset, parts, value, source, error }: ExplainedPart,
  placeOf: (offset: number) => string | undefined,
): ShownPart {
  const errorPlace = errorOffset === undefined ? undefined : placeOf(errorOffset);
  return {
    source,
    ...(value !== undefined && { value: withNamedNumbers(value) }),
    ...(error !== undefined && { error }),
    ...(errorMessage !== undefined && { errorMessage }),
    ...(errorPlace !== undefined && { errorPlace }),
    ...(parts !== undefined && { parts: parts.map((inner) => partOf(inner, placeOf)) }),
  };
}
