import type { JsonValue, TriggerInput } from '../../contract/index.ts';
import type { AwaitedRoom, EngineMemory, NewRun, Reservation } from '../types/index.ts';

/** What one run holds of the gateway's memory: its input while an attempt is being executed, and its output until it is stored. */
export class RunMemory {
  readonly engine: EngineMemory;
  /** What the input takes; undefined until it has been seen. */
  #inputBytes: number | undefined;
  #input: Reservation | undefined;
  #output: Reservation | undefined;
  #awaited: AwaitedRoom | undefined;
  #isOver = false;

  constructor(engine: EngineMemory) {
    this.engine = engine;
  }

  /** The run is submitted, with an attempt if it can start at once. */
  submit({ input, inputMemory }: NewRun, isStarting: boolean): void {
    this.#inputBytes = inputMemory?.bytes ?? this.engine.measure(input);
    if (!isStarting) return;
    inputMemory?.share('runs');
    this.#input = inputMemory ?? this.engine.charge('runs', this.#inputBytes);
  }

  /** Another input takes the place of the one that waits. */
  replace({ input, inputMemory }: NewRun): void {
    this.#inputBytes = inputMemory?.bytes ?? this.engine.measure(input);
    this.#input?.correct(this.#inputBytes);
  }

  /** Makes room for an attempt. Returns a promise if it has to wait; the run may be over when that resolves. */
  enter(): void | Promise<void> {
    const room = this.engine.room(this.#inputBytes);
    if (!('granted' in room)) return this.#take(room);
    this.#awaited = room;
    return room.granted.then((granted) => {
      this.#awaited = undefined;
      if (granted !== undefined) this.#take(granted);
    });
  }

  /** The input has been read from the store. */
  loaded(input: TriggerInput): void {
    if (this.#inputBytes !== undefined) return;
    this.#inputBytes = this.engine.measure(input);
    this.#input?.correct(this.#inputBytes);
  }

  /** Keeps the input accounted for until the returned reservation is released: an attempt may outlive its run. */
  holdInput(): Reservation | undefined {
    this.#input?.share('runs');
    return this.#input;
  }

  /** The attempt is over, and another one may follow. */
  leave(): void {
    this.#input?.release();
    this.#input = undefined;
  }

  addOutput(output: JsonValue | undefined): void {
    if (output !== undefined) this.#output = this.engine.charge('outputs', this.engine.measure(output));
  }

  /** The run has left the engine. */
  release(): void {
    this.#isOver = true;
    this.#awaited?.withdraw();
    this.leave();
    this.#output?.release();
    this.#output = undefined;
  }

  #take(room: Reservation): void {
    if (this.#isOver) room.release();
    else this.#input = room;
  }
}
