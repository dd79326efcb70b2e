import type { RunDelta, RunPosition } from '../../contract/index.ts';
import type { EngineMemory, Reservation } from '../types/index.ts';

/** How much text is buffered for slow and late consumers, in UTF-16 units. */
const maxBuffered = 128 * 1024;
/** In which steps it takes memory; it has one, whatever the budget says. */
const step = 16 * 1024;
const bytesPerUnit = 2;
/** Appended pieces are joined when there are this many: until then each costs more than its text. */
const maxPieces = 256;

const start: RunPosition = { attempt: 0, offset: 0 };

/**
 * The text that the latest attempt of a run has streamed: one bounded buffer that all consumers share, each with a position
 * of its own. Emitting never waits for consumers: slow ones receive coalesced deltas, and once the buffer is full the
 * oldest text is dropped, as it is when no memory is left for more.
 */
export class DeltaLog {
  #attempt = 0;
  #text = '';
  /** The position of the first buffered character. */
  #offset = 0;
  #isEnded = false;
  #room = 0;
  #pieces = 0;
  #reserved: Reservation | undefined;
  readonly #memory: EngineMemory;
  readonly #wakers = new Set<() => void>();

  constructor(memory: EngineMemory) {
    this.#memory = memory;
  }

  append(attempt: number, text: string): void {
    if (attempt !== this.#attempt) {
      this.#attempt = attempt;
      this.#text = '';
      this.#offset = 0;
    }
    this.#extend(text);
  }

  /** Text from a position on, which another log has: what is here already is left out, and a gap drops what was before it. */
  put(attempt: number, offset: number, text: string): void {
    const end = this.#offset + this.#text.length;
    if (this.#isEnded || attempt < this.#attempt) return;
    if (attempt > this.#attempt || offset > end) {
      this.#attempt = attempt;
      this.#text = '';
      this.#offset = offset;
      this.#extend(text);
    } else if (offset + text.length > end) {
      this.#extend(text.slice(end - offset));
    }
  }

  /** Where the text ends. */
  get position(): RunPosition {
    return { attempt: this.#attempt, offset: this.#offset + this.#text.length };
  }

  #extend(text: string): void {
    this.#text += text;
    this.#pieces += 1;
    if (this.#text.length > this.#room) this.#grow();
    // Half of the buffer is dropped at once, so that a long answer does not copy it with each piece.
    if (this.#text.length > this.#room) this.#dropHead(this.#text.length - this.#room / 2);
    if (this.#pieces >= maxPieces) this.#join();
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#reserved?.release();
    this.#reserved = undefined;
    this.#wake();
  }

  /** Streams what follows a position. Ends with the log, or when the signal aborts. */
  async *read(after = start, signal?: AbortSignal): AsyncGenerator<RunDelta> {
    let { attempt, offset } = after;
    for (;;) {
      const delta = this.#after(attempt, offset);
      if (signal?.aborted) return;
      if (delta !== undefined) {
        yield delta;
        ({ attempt } = delta);
        offset = delta.offset + delta.text.length;
      } else if (this.#isEnded) {
        return;
      } else {
        await this.#change(signal);
      }
    }
  }

  #after(attempt: number, offset: number): RunDelta | undefined {
    if (attempt > this.#attempt) return undefined;
    const from = attempt < this.#attempt ? this.#offset : Math.max(offset, this.#offset);
    const text = this.#text.slice(from - this.#offset);
    return text === '' ? undefined : { attempt: this.#attempt, offset: from, text };
  }

  /** Takes room for the text, as far as there is any. */
  #grow(): void {
    const wanted = Math.min(maxBuffered, Math.ceil(this.#text.length / step) * step);
    if (wanted <= this.#room) return;
    this.#reserved ??= this.#memory.charge('deltas', step * bytesPerUnit);
    if (this.#room < step) this.#room = step;
    if (wanted > this.#room && this.#reserved.resize(wanted * bytesPerUnit)) this.#room = wanted;
  }

  /** V8 keeps concatenated strings as a tree of their pieces, and makes one of them when a character is read. */
  #join(): void {
    this.#text.charCodeAt(0);
    this.#pieces = 0;
  }

  #dropHead(length: number): void {
    // A surrogate pair is not split.
    const isPair = /[\uDC00-\uDFFF]/.test(this.#text.charAt(length));
    const cut = isPair ? length + 1 : length;
    this.#text = this.#text.slice(cut);
    this.#offset += cut;
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.#wakers.delete(wake);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      this.#wakers.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}
