// Generated from schemas/source/explanation.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject, JsonValue } from '../contract/index.ts';

/**
 * What `pullcord explain --format json` prints. It holds values of the body. Members may be added within a version; none is taken away or gets another meaning.
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
   * What the pipeline decides. `refused`: the request does not come to the filters.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'refused';
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
   * What the agent is given; absent unless the request is accepted.
   */
  input?: JsonObject;
  recorded?: RecordedOutcome;
  /**
   * The way through the stages, in order; empty if there is no such trigger.
   */
  stages: StageExplanation[];
}
/**
 * How the request came out when it was recorded; absent unless a recorded request is explained.
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
   * JSON pointers into the body at which something was masked: what reads that cannot be judged.
   */
  masked: string[];
}
/**
 * What one stage does with the request.
 */
export interface StageExplanation {
  /**
   * The stage; there is one `filter` for each filter of the trigger. `body` is there only where the body is refused.
   */
  stage: 'auth' | 'body' | 'filter' | 'dedup' | 'run' | 'respond';
  /**
   * What the config says there, in words.
   */
  use: string;
  /**
   * What it does with the request; `skipped`: the request does not come so far.
   */
  result: 'passed' | 'stopped' | 'skipped';
  /**
   * What comes of it, in words.
   */
  words: string;
  /**
   * What a filter is made of; empty for other stages, and for filters that tell nothing of themselves.
   */
  conditions: ConditionExplanation[];
  /**
   * Where it stands: `file:line:column`.
   */
  place?: string;
}
/**
 * A condition of a filter, with what it comes to.
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
   * Its value, any JSON; absent if it comes to nothing, or fails.
   */
  value?: JsonValue;
  /**
   * What its evaluation fails with, such as the code of a JSONata error; absent if it does not fail.
   */
  error?: string;
  /**
   * What stands between its parts; absent where it is no comparison.
   */
  operator?: string;
  /**
   * What it is made of, such as the two sides of a comparison; absent where it is told as a whole.
   */
  parts?: PartExplanation[];
}
/**
 * A part of a condition, with what it comes to.
 */
export interface PartExplanation {
  /**
   * The part as it is written.
   */
  source: string;
  /**
   * Its value, any JSON; absent if it comes to nothing, or fails.
   */
  value?: JsonValue;
  /**
   * What its evaluation fails with, such as the code of a JSONata error; absent if it does not fail.
   */
  error?: string;
}
