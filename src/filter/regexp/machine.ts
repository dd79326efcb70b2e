import type { Meter } from '../library/text-search.ts';
import { assertion, op, type Program } from './program.ts';

/** Units that are paid at a time. */
const stride = 32;

/** What to look for: from where, whether a match must start there, and how many slots to return: none, two, or all. */
export interface Search {
  readonly from: number;
  readonly isAnchored: boolean;
  readonly slots: number;
  /** What a code unit costs. */
  readonly price: number;
  /** The next position at which a match may start, or the length of the text; asked while none is under way. */
  readonly skip: (at: number) => number;
}

/** Threads that wait for the next code unit, in order of priority. */
interface Threads {
  count: number;
  readonly instructions: Int32Array;
  /** The slots of each, one row after the other. */
  rows: Int32Array;
}

/**
 * Runs a program on a text: all alternatives at once, one code unit after the other (a Pike machine). No thread is followed
 * twice from the same instruction at the same position, so each code unit costs at most the size of the program. The
 * first thread in order of priority to match is what a backtracking engine finds.
 */
export class Machine {
  readonly #program: Program;
  /** One more than the depth at which repetitions of what may be empty are nested. */
  readonly #levels: number;
  /** The last step in which each instruction was reached, at each level. */
  readonly #reached: Int32Array;
  #step = 0;
  #current: Threads;
  #next: Threads;
  /** The slots of the thread that is followed. */
  #slots = new Int32Array(0);
  #matched = new Int32Array(0);
  /** Pairs of an instruction and its level, or of the complement of a slot and its value before. */
  readonly #pending: number[] = [];

  constructor(program: Program) {
    this.#program = program;
    this.#levels = program.depth + 1;
    this.#reached = new Int32Array(program.ops.length * this.#levels);
    const waiting = program.ops.reduce((count, code) => (code === op.unit ? count + 1 : count), 0);
    this.#current = { count: 0, instructions: new Int32Array(waiting), rows: new Int32Array(0) };
    this.#next = { count: 0, instructions: new Int32Array(waiting), rows: new Int32Array(0) };
  }

  /** The states that a code unit may have to be compared with. */
  get size(): number {
    return this.#reached.length;
  }

  /** Returns the slots of the first match, which are the machine's own until the next search. */
  search(meter: Meter, text: string, { from, isAnchored, slots, price, skip }: Search): Int32Array | undefined {
    const { xs, sets } = this.#program;
    this.#prepare(slots);
    let hasMatched = false;
    let paid = from;
    for (let at = from; ; at += 1) {
      if (!hasMatched && (at === from || !isAnchored)) {
        if (this.#current.count === 0 && !isAnchored) {
          at = skip(at);
          this.#begin();
        }
        this.#slots.fill(-1);
        if (slots > 0) this.#slots[0] = at;
        hasMatched = this.#follow(0, at, text, this.#current);
        if (hasMatched && slots === 0) break;
      }
      const threads = this.#current;
      if (at >= text.length || (threads.count === 0 && (hasMatched || isAnchored))) break;
      if (at >= paid) {
        paid = Math.min(text.length, at + stride);
        meter.spend((paid - at) * price);
      }
      const unit = text.charCodeAt(at);
      this.#begin();
      for (let index = 0; index < threads.count; index += 1) {
        const instruction = threads.instructions[index] as number;
        if (!sets[xs[instruction] as number]?.has(unit)) continue;
        for (let slot = 0; slot < slots; slot += 1) this.#slots[slot] = threads.rows[index * slots + slot] as number;
        if (!this.#follow(instruction + 1, at + 1, text, this.#next)) continue;
        // Threads of lower priority are dropped; those before it may still find a match that is preferred.
        hasMatched = true;
        break;
      }
      if (hasMatched && slots === 0) break;
      this.#current = this.#next;
      this.#next = threads;
    }
    return hasMatched ? this.#matched : undefined;
  }

  #prepare(slots: number): void {
    if (this.#slots.length !== slots) {
      this.#slots = new Int32Array(slots);
      this.#matched = new Int32Array(slots);
      for (const threads of [this.#current, this.#next]) {
        threads.rows = new Int32Array(threads.instructions.length * slots);
      }
    }
    this.#current.count = 0;
    this.#begin();
  }

  /** Begins the step to the next position. */
  #begin(): void {
    this.#next.count = 0;
    this.#step += 1;
    if (this.#step < 0x7f_ff_ff_ff) return;
    this.#step = 1;
    this.#reached.fill(0);
  }

  /**
   * Follows a thread, and those that split from it, until they wait for the next code unit. Returns whether one matches;
   * then those of lower priority are not followed.
   *
   * A level is the outermost depth of the repetitions that began at this position, or the greatest if none did: at their
   * end they have matched nothing.
   */
  #follow(start: number, at: number, text: string, threads: Threads): boolean {
    const { ops, xs, ys } = this.#program;
    const reached = this.#reached;
    const levels = this.#levels;
    const pending = this.#pending;
    const slots = this.#slots;
    const step = this.#step;
    let top = 0;
    pending[top++] = start;
    pending[top++] = levels - 1;
    while (top > 0) {
      let level = pending[--top] as number;
      let instruction = pending[--top] as number;
      if (instruction < 0) {
        slots[~instruction] = level;
        continue;
      }
      for (;;) {
        const code = ops[instruction];
        if (code === op.unit) level = levels - 1;
        const state = instruction * levels + level;
        if (reached[state] === step) break;
        reached[state] = step;
        if (code === op.unit) {
          threads.instructions[threads.count] = instruction;
          const row = threads.count * slots.length;
          for (let slot = 0; slot < slots.length; slot += 1) threads.rows[row + slot] = slots[slot] as number;
          threads.count += 1;
          break;
        }
        if (code === op.match) {
          if (slots.length > 1) slots[1] = at;
          this.#matched.set(slots);
          return true;
        }
        const x = xs[instruction] as number;
        if (code === op.jump) {
          instruction = x;
          continue;
        }
        if (code === op.split) {
          pending[top++] = ys[instruction] as number;
          pending[top++] = level;
          instruction = x;
          continue;
        }
        if (code === op.save || code === op.clear) {
          const end = Math.min(slots.length, code === op.save ? x + 1 : (ys[instruction] as number));
          for (let slot = x; slot < end; slot += 1) {
            pending[top++] = ~slot;
            pending[top++] = slots[slot] as number;
            slots[slot] = code === op.save ? at : -1;
          }
        } else if (code === op.assert) {
          if (!holds(x, text, at)) break;
        } else if (code === op.begin) {
          level = Math.min(level, x);
        } else {
          if (level <= x) break;
          level = levels - 1;
        }
        instruction += 1;
      }
    }
    return false;
  }
}

function holds(kind: number, text: string, at: number): boolean {
  switch (kind) {
    case assertion.textStart:
      return at === 0;
    case assertion.textEnd:
      return at === text.length;
    case assertion.lineStart:
      return at === 0 || isLineEnd(text.charCodeAt(at - 1));
    case assertion.lineEnd:
      return at === text.length || isLineEnd(text.charCodeAt(at));
    default: {
      const isBoundary = isWord(text, at - 1) !== isWord(text, at);
      return isBoundary === (kind === assertion.boundary);
    }
  }
}

function isLineEnd(unit: number): boolean {
  return unit === 0x0a || unit === 0x0d || unit === 0x20_28 || unit === 0x20_29;
}

/** Letters, digits and `_` of ASCII, whatever the flags. */
function isWord(text: string, at: number): boolean {
  if (at < 0 || at >= text.length) return false;
  const unit = text.charCodeAt(at);
  return (
    (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
  );
}
