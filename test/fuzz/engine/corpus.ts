import type { Dice } from './dice.ts';
import type { Outcome } from './target.ts';

/** Outcomes that are distinguished, per target: a code with values in it must not fill the memory. */
const mostEntries = 400;
/** How often the shorter one of two inputs is picked: most steps should be short. */
const shorterShare = 0.75;

interface Entry {
  readonly input: Buffer;
  /** Kind and code of its outcome. */
  readonly code: string;
  /** Whether it was there from the start. */
  readonly isGiven: boolean;
}

/** The inputs that are varied: one, the shortest, for each outcome that differs from all others. */
export class Corpus {
  readonly #entries: Entry[] = [];
  readonly #indexes = new Map<string, number>();

  get size(): number {
    return this.#entries.length;
  }

  /** Of the inputs that were not given, one for each code that no given one has. */
  get found(): readonly Buffer[] {
    const byCode = new Map(this.#entries.toReversed().map((entry) => [entry.code, entry]));
    for (const { code, isGiven } of this.#entries) if (isGiven) byCode.delete(code);
    return [...byCode.values()].map(({ input }) => input);
  }

  /** Keeps the input if its outcome is new, or if it is shorter than the one that was kept for it. */
  offer(input: Buffer, outcome: Outcome, isGiven: boolean): void {
    const signature = signatureOf(outcome);
    const index = this.#indexes.get(signature);
    if (index === undefined) {
      if (this.#entries.length >= mostEntries) return;
      this.#indexes.set(signature, this.#entries.length);
      this.#entries.push({ input: Buffer.from(input), code: codeOf(outcome), isGiven });
      return;
    }
    const kept = this.#entries[index];
    if (kept === undefined || kept.input.length <= input.length) return;
    // What replaces a given input is not worth keeping beside it.
    this.#entries[index] = { ...kept, input: Buffer.from(input) };
  }

  pick(dice: Dice): Buffer {
    const one = this.#anyOf(dice);
    if (!dice.chance(shorterShare)) return one;
    const other = this.#anyOf(dice);
    return other.length < one.length ? other : one;
  }

  #anyOf(dice: Dice): Buffer {
    return this.#entries[dice.below(this.#entries.length)]?.input ?? Buffer.alloc(0);
  }
}

export function codeOf({ kind, code }: Outcome): string {
  return `${kind}: ${code}`;
}

/** Sizes and work count by their magnitude. */
function signatureOf({ kind, code, size = 0, work }: Outcome): string {
  return `${kind} ${code} ${magnitude(size)} ${work === undefined ? '' : magnitude(work.done)}`;
}

function magnitude(count: number): number {
  return Math.ceil(Math.log2(count + 1));
}
