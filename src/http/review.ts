import type { TriggerConfig } from '../config/model.ts';
import type { RecordedRequest } from '../engine/types/index.ts';
import type { LoadedSources } from '../runtime/snapshot-builder.ts';

/** A request that nobody sent. */
export interface AskedRequest {
  readonly project: string;
  /** The trigger's key, in any case. */
  readonly trigger: string;
  /** Id of the API key; undefined: a caller that may do everything. */
  readonly caller: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyText: string | undefined;
}

/** A state of the config: the texts of its files by their paths below the config folder. */
export interface PlannedState {
  readonly label: string;
  readonly files: ReadonlyMap<string, string>;
}

export type PlannedChange =
  | { readonly ok: true; readonly json: string }
  /** Why there is no plan. */
  | { readonly ok: false; readonly reason: string };

export interface AskedFilter {
  readonly trigger: TriggerConfig;
  /** The name of the filter. */
  readonly filter: string;
  readonly expression: string;
  /** The latest first. */
  readonly requests: readonly RecordedRequest[];
}

export type TriedExpression =
  | { readonly ok: true; readonly trial: object }
  /** What is wrong with the expression. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Dry runs, which the admin listener offers. Those who start a gateway give it, since reviews use what the gateway is made of. */
export interface Review {
  /**
   * What the stages of a config decide of a request, as JSON of schemas/source/explanation.schema.json. No agent is called and
   * nothing is stored. Throws if the config cannot be provisioned for it.
   */
  explain(served: LoadedSources, request: AskedRequest | RecordedRequest): Promise<string>;
  /** Compares two states of the config over recorded requests, the earliest first, as schemas/source/plan.schema.json has it. */
  plan(base: PlannedState, head: PlannedState, requests: readonly RecordedRequest[]): Promise<PlannedChange>;
  /** What another expression of a filter decides of recorded requests, as schemas/source/filter-trial.schema.json has it. */
  tryFilter(served: LoadedSources, trial: AskedFilter): Promise<TriedExpression>;
}
