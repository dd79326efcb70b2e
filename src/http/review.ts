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

/** Dry runs, which the admin listener offers. Those who start a gateway give it, since reviews use what the gateway is made of. */
export interface Review {
  /**
   * What the stages of a config decide of a request, as JSON of schemas/source/explanation.schema.json. No agent is called and
   * nothing is stored. Throws if the config cannot be provisioned for it.
   */
  explain(served: LoadedSources, request: AskedRequest | RecordedRequest): Promise<string>;
}
