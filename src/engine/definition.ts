import type { MaybePromise, PluginLog } from '../contract/index.ts';
import type { Engine } from './types/index.ts';

/** An engine as `engine: { uses, with }` of gateway.yaml picks it. */
export interface EngineDefinition<Options = unknown> {
  /** What `uses:` says: lower case, digits and dashes. */
  readonly name: string;
  /** One line for help and generated docs. */
  readonly summary: string;
  /** JSON Schema draft-07 of `with:`, with the same references for durations, sizes and secrets as a plugin's. */
  readonly optionsSchema: object;
  /** Whether there is a store to be opened; absent from an engine whose store is always there. */
  isThere?(options: Options, context: EngineContext): boolean;
  /** Opens the store; rejects when it is out of reach. Executes nothing before `start`. */
  create(options: Options, context: EngineContext): MaybePromise<Engine>;
}

/** What an engine may use of its host. */
export interface EngineContext {
  /** Writes to the gateway's log with the engine's name. Never log payloads or secrets. */
  readonly log: PluginLog;
  /** Makes an absolute path of one in options: relative ones start at the folder of gateway.yaml. */
  resolvePath(path: string): string;
}
