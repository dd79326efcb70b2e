import type { MaybePromise, PluginLog } from '../contract/index.ts';
import type { EngineCopying } from './copy/copied-rows.ts';
import type {
  Audit,
  CommitObserver,
  Engine,
  EngineMemory,
  NodeName,
  Notes,
  RecordedRequest,
  Recordings,
  Recovery,
} from './types/index.ts';

/** An engine that `engine: { uses, with }` of gateway.yaml can select. */
export interface EngineDefinition<Options = unknown> {
  /** The value of `uses:`, in lower case, digits and dashes. */
  readonly name: string;
  /** One line for help and generated docs. */
  readonly summary: string;
  /** JSON Schema draft-07 of `with:`, with the same references for durations, sizes and secrets as a plugin's. */
  readonly optionsSchema: object;
  /** Whether what it keeps outlives its process, so that a command can open it while no gateway runs. */
  readonly isDurable: boolean;
  /** Whether several processes may use one store at a time. */
  readonly isShared?: boolean;
  /** Whether a store exists already; absent from an engine that never has to create one. Rejects if nobody can know. */
  isThere?(options: Options, context: EngineContext): MaybePromise<boolean>;
  /** Opens the store; rejects if it is unavailable. Executes nothing before `Engine.start`. */
  create(options: Options, context: EngineContext): MaybePromise<OpenedEngine>;
  /**
   * The recorded requests of a store of this engine, the oldest first, without changing it: a gateway may be using it.
   * Undefined if the source, a path or a URL, is not one of this engine. Throws an Error fit for users if it is one and
   * cannot be read.
   */
  openRecordings?(source: string): MaybePromise<Iterable<RecordedRequest> | AsyncIterable<RecordedRequest> | undefined>;
  /**
   * Exports what can be read of a damaged store into a new one, and does not change the damaged one. Rejects with an Error fit
   * for users.
   * @param target a file or an existing folder; by default a file beside the store
   */
  recover?(options: Options, context: EngineContext, target: string | undefined): MaybePromise<Recovery>;
  /** How its stores are copied to those of other engines; absent from an engine whose store ends with its process. */
  readonly copying?: EngineCopying;
}

/** An engine and what it keeps beside runs. Closing the engine closes both. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Undefined if this engine does not keep recorded requests. */
  readonly recordings: Recordings | undefined;
  readonly audit: Audit;
  readonly notes: Notes;
}

/** What an engine may use of its host. */
export interface EngineContext {
  /** Writes to the gateway's log with the engine's name. Never log payloads or secrets. */
  readonly log: PluginLog;
  /** The gateway's budget; undefined for a command. */
  readonly memory?: EngineMemory | undefined;
  /** What this process is called among those that share the store; undefined for a command, which is no node. */
  readonly node?: NodeName | undefined;
  /** Undefined for a command. */
  readonly commits?: CommitObserver | undefined;
  /** Makes a path from the options absolute: relative ones start at the folder of gateway.yaml. */
  resolvePath(path: string): string;
}
