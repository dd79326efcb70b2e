import type { RunDelta, RunPosition } from '../../contract/index.ts';
import { DeltaLog } from '../execution/delta-log.ts';
import type { EngineMemory } from '../types/index.ts';

interface Stream {
  readonly log: DeltaLog;
  readers: number;
  /** Whether its text comes from another node. */
  isRelayed: boolean;
}

/**
 * What runs stream, by run: of those that this node executes, and of those that somebody here follows. One log outlives the
 * attempts of its run, so that its readers go on with the next one, wherever that is executed.
 */
export class Streams {
  readonly #memory: EngineMemory;
  readonly #isLocal: (runId: string) => boolean;
  readonly #streams = new Map<string, Stream>();

  constructor(memory: EngineMemory, isLocal: (runId: string) => boolean) {
    this.#memory = memory;
    this.#isLocal = isLocal;
  }

  /** The log to which an attempt on this node adds what it streams. */
  own(runId: string): DeltaLog {
    const stream = this.#of(runId);
    stream.isRelayed = false;
    return stream.log;
  }

  isRelayed(runId: string): boolean {
    return this.#streams.get(runId)?.isRelayed === true;
  }

  /** Adds text that another node has sent, if somebody reads it here. */
  put(runId: string, { attempt, offset, text }: RunDelta): void {
    const stream = this.#streams.get(runId);
    if (stream === undefined || this.#isLocal(runId)) return;
    stream.isRelayed = true;
    stream.log.put(attempt, offset, text);
  }

  /** Up to where the text of a run is known here. */
  position(runId: string): RunPosition | undefined {
    return this.#streams.get(runId)?.log.position;
  }

  async *read(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncGenerator<RunDelta> {
    const stream = this.#of(runId);
    stream.readers += 1;
    try {
      yield* stream.log.read(after, signal);
    } finally {
      stream.readers -= 1;
      this.#tidy(runId, stream);
    }
  }

  /** An attempt has left this node: another one may follow, here or elsewhere. */
  left(runId: string): void {
    const stream = this.#streams.get(runId);
    if (stream !== undefined) this.#tidy(runId, stream);
  }

  /** The run is final: its readers get the rest. */
  end(runId: string): void {
    const stream = this.#streams.get(runId);
    if (stream === undefined) return;
    this.#streams.delete(runId);
    stream.log.end();
  }

  close(): void {
    for (const runId of [...this.#streams.keys()]) this.end(runId);
  }

  #of(runId: string): Stream {
    const known = this.#streams.get(runId);
    if (known !== undefined) return known;
    const made = { log: new DeltaLog(this.#memory), readers: 0, isRelayed: false };
    this.#streams.set(runId, made);
    return made;
  }

  #tidy(runId: string, stream: Stream): void {
    if (stream.readers > 0 || this.#isLocal(runId) || this.#streams.get(runId) !== stream) return;
    this.end(runId);
  }
}
