// Generated from schemas/source/explanation.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject, JsonValue } from '../contract/index.ts';

/**
 * The output of `pullcord explain --format json`. It contains values of the body. Members may be added within a version; none is removed or gets another meaning.
 */
export interface ExplanationDocument {
  /**
   * Version of this format.
   */
  version: 1;
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * What the pipeline decides. `refused`: the request does not reach the filters.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'refused';
  /**
   * Name of the filter that drops it; absent where none does.
   */
  by?: string;
  /**
   * The code of the problem that the caller gets; absent where there is none.
   */
  code?: string;
  /**
   * The HTTP status that the caller gets, from an agent that answers at once.
   */
  status: number;
  /**
   * What the agent receives; absent unless the request is accepted.
   */
  input?: JsonObject;
  recorded?: RecordedOutcome;
  change?: SmallestChange;
  /**
   * The path through the stages, in order; empty if there is no such trigger.
   */
  stages: StageExplanation[];
}
/**
 * The verdict when the request was recorded; absent unless a recorded request is explained.
 */
export interface RecordedOutcome {
  /**
   * What the pipeline decided then.
   */
  verdict: string;
  /**
   * Name of the filter that dropped it; absent where none did.
   */
  by?: string;
  /**
   * JSON pointers to the masked values of the body: a filter that reads one cannot be judged.
   */
  masked: string[];
}
/**
 * A change of the body with which the request passes the filters, as small as one was found. Absent: none was looked for, as for a request that no filter drops, or none was found.
 */
export interface SmallestChange {
  /**
   * What it sets.
   */
  edits: BodyEdit[];
  /**
   * The body with it.
   */
  body: JsonObject;
}
/**
 * A value that is set.
 */
export interface BodyEdit {
  /**
   * Where, as JSON pointer.
   */
  pointer: string;
  /**
   * The value, any JSON.
   */
  to: JsonValue;
}
/**
 * What one stage does with the request.
 */
export interface StageExplanation {
  /**
   * The stage; there is one `filter` for each filter of the trigger. `body` occurs only where the body is rejected.
   */
  stage: 'auth' | 'body' | 'filter' | 'dedup' | 'run' | 'respond';
  /**
   * What the config declares there, in words.
   */
  use: string;
  /**
   * What it does with the request; `skipped`: the request does not reach it.
   */
  result: 'passed' | 'stopped' | 'skipped';
  /**
   * The result, in words.
   */
  words: string;
  /**
   * The conditions of a filter; empty for other stages, and for filters without `review()`.
   */
  conditions: ConditionExplanation[];
  /**
   * Its place: `file:line:column`.
   */
  place?: string;
}
/**
 * A condition of a filter, with its value.
 */
export interface ConditionExplanation {
  /**
   * The condition as it is written.
   */
  source: string;
  /**
   * Whether the request passes it.
   */
  passes: boolean;
  /**
   * Its value, any JSON; `NaN`, `Infinity` and `-Infinity` as strings; absent if it is undefined, or fails.
   */
  value?: JsonValue;
  /**
   * The error of its evaluation, such as the code of a JSONata error; absent if it does not fail.
   */
  error?: string;
  /**
   * What the code of the error means, in words; absent if there is no code.
   */
  errorMessage?: string;
  /**
   * Where in the expression it failed: `file:line:column`.
   */
  errorPlace?: string;
  /**
   * The operator between its parts; absent if it is not a comparison.
   */
  operator?: string;
  /**
   * Its parts, such as the two sides of a comparison, operands, and the arguments of a function, without literals except on the sides of a comparison; absent where it is shown as a whole.
   */
  parts?: PartExplanation[];
}
/**
 * A part of a condition, with its value.
 */
export interface PartExplanation {
  /**
   * The part as it is written.
   */
  source: string;
  /**
   * Its value, any JSON; `NaN`, `Infinity` and `-Infinity` as strings; absent if it is undefined, or fails.
   */
  value?: JsonValue;
  /**
   * The error of its evaluation, such as the code of a JSONata error; absent if it does not fail.
   */
  error?: string;
  /**
   * What the code of the error means, in words; absent if there is no code.
   */
  errorMessage?: string;
  /**
   * Where in the expression it failed: `file:line:column`.
   */
  errorPlace?: string;
  /**
   * Its own parts: the same members, as deep as the expression nests.
   */
  parts?: JsonObject[];
}
