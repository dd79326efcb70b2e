import { triggerName } from '../../config/trigger-key.ts';
import type { FilterReview, FilterVocabulary, JsonObject } from '../../contract/index.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import { reviewOf } from '../filter-review.ts';
import type { OpenConfig } from '../open-config.ts';
import { describeOutcome, Rehearsal } from '../rehearsal.ts';
import { maskValues } from './behaviour.ts';
import { mutations, withoutEach } from './mutations.ts';
import { changedUses, type NamedChange } from './named-uses.ts';
import type { Witness } from './plan.ts';

export interface WitnessOptions {
  /** When to give up: about how many evaluations of a simple filter the search may cost. Counted, never timed. */
  readonly work: number;
  readonly now: number;
  /** Whether values that callers sent are shown. */
  readonly showBodies: boolean;
}

/** Bodies to start the search from. */
export interface KnownBodies {
  readonly ofTests: readonly JsonObject[];
  readonly recorded: readonly JsonObject[];
}

/** The maximum number of known bodies to start from. */
const mostKnown = 30;

/**
 * Searches for a witness, that is, a small counterexample: a request on which the two versions of a changed filter
 * disagree. Starts from known bodies (of tests and recorded requests) and an empty one, and adds, changes and removes
 * members by the paths and constants that both versions read.
 */
export async function findWitness(
  base: OpenConfig,
  head: OpenConfig,
  trigger: { readonly before: LiveTrigger; readonly after: LiveTrigger },
  change: NamedChange,
  known: KnownBodies,
  options: WitnessOptions,
): Promise<{ readonly witness: Witness; readonly spent: number; readonly isInvented: boolean }> {
  const search = new WitnessSearch(base, head, trigger, change, options);
  const found = await search.find(known.ofTests.slice(0, mostKnown), known.recorded.slice(0, mostKnown));
  const place = change.after?.place ?? trigger.after.config.place;
  const id = triggerName(trigger.after);
  const kind = change.before === undefined ? 'added' : change.after === undefined ? 'removed' : 'changed';
  const witness = { trigger: id, filter: change.name, change: kind, found, tried: search.tried, place } as const;
  return { witness, spent: search.spent, isInvented: search.isInvented };
}

/** The filters that changed in a trigger that both configs have. */
export function witnessed(before: LiveTrigger, after: LiveTrigger): readonly NamedChange[] {
  return changedUses(before.config.filter, after.config.filter);
}

class WitnessSearch {
  tried = 0;
  /** Whether what was found starts from a known body of a test at most, and not from a recorded one. */
  isInvented = true;
  #work = 0;
  /** What the body that was tried last cost. */
  #lastWork = 1;
  readonly #rehearsals: readonly [before: Rehearsal, after: Rehearsal];
  readonly #reviews: readonly FilterReview[];
  readonly #trigger: LiveTrigger;
  readonly #filterName: string;
  readonly #options: WitnessOptions;

  constructor(
    base: OpenConfig,
    head: OpenConfig,
    { before, after }: { readonly before: LiveTrigger; readonly after: LiveTrigger },
    { name }: NamedChange,
    options: WitnessOptions,
  ) {
    this.#rehearsals = [
      new Rehearsal(base.snapshot, { ignoresPause: true, isPatient: true }),
      new Rehearsal(head.snapshot, { ignoresPause: true, isPatient: true }),
    ];
    // The other filters of the trigger matter too: a witness must reach the changed one.
    this.#reviews = [before, after].flatMap((one) => one.filter.flatMap((_, index) => reviewOf(one, index) ?? []));
    this.#trigger = after;
    this.#filterName = name;
    this.#options = options;
  }

  get spent(): number {
    return this.#work;
  }

  async find(ofTests: readonly JsonObject[], recorded: readonly JsonObject[]): Promise<Witness['found']> {
    const vocabulary = merged(this.#reviews.map((review) => review.vocabulary));
    const found = await this.#findFrom([{}, ...ofTests], vocabulary);
    if (found !== undefined || recorded.length === 0) return found;
    this.isInvented = false;
    const sent = await this.#findFrom(recorded, vocabulary);
    if (sent === undefined || this.#options.showBodies) return sent;
    return { ...sent, body: maskValues(sent.body, new Set(vocabulary.constants)) };
  }

  async #findFrom(starts: readonly JsonObject[], vocabulary: FilterVocabulary): Promise<Witness['found']> {
    let weak: Found | undefined;
    for await (const body of this.#candidates(starts, vocabulary)) {
      if (this.#isOver()) break;
      const found = await this.#witnessOf(body);
      if (found?.isStrong) return this.#smallest(body, found);
      weak ??= found;
    }
    return weak && this.#smallest(weak.body, weak);
  }

  async *#candidates(starts: readonly JsonObject[], vocabulary: FilterVocabulary): AsyncIterable<JsonObject> {
    yield* starts;
    yield* mutations(await this.#climb(starts, vocabulary), vocabulary);
    for (const start of starts) yield* mutations(start, vocabulary);
  }

  /** The body that meets the most conditions, found by hill climbing: one member is changed at a time. */
  async #climb(starts: readonly JsonObject[], vocabulary: FilterVocabulary): Promise<JsonObject> {
    let best = { body: starts[0] ?? {}, score: -1 };
    for (const start of starts) {
      if (this.#isOver()) break;
      best = better(best, { body: start, score: await this.#score(start) });
    }
    for (let isBetter = true; isBetter && !this.#isOver(); ) {
      isBetter = false;
      for (const body of mutations(best.body, vocabulary)) {
        if (this.#isOver()) break;
        const score = await this.#score(body);
        if (score <= best.score) continue;
        best = { body, score };
        isBetter = true;
        break;
      }
    }
    return best.body;
  }

  async #score(body: JsonObject): Promise<number> {
    this.tried += 1;
    // Observing costs about as much as evaluating.
    this.#work += this.#lastWork;
    const prepared = await this.#rehearsals[1].prepare(this.#requestOf(body));
    if ('outcome' in prepared) return -1;
    let score = 0;
    for (const review of this.#reviews) {
      if (this.#isOver()) break;
      for (const { seenTrue } of await review.observe(prepared.exchange)) score += Number(seenTrue);
    }
    return score;
  }

  #isOver(): boolean {
    return this.#work >= this.#options.work;
  }

  /** The outcomes of a body under both configs, if they differ because of the filter. */
  async #witnessOf(body: JsonObject): Promise<Found | undefined> {
    this.tried += 1;
    const [before, after] = this.#rehearsals;
    const old = await before.tryFilters(this.#requestOf(body));
    const now = await after.tryFilters(this.#requestOf(body));
    this.#lastWork = Math.max(1, ((old.work ?? 0) + (now.work ?? 0)) / 2);
    this.#work += this.#lastWork;
    if (old.undecided !== undefined || now.undecided !== undefined) return undefined;
    if (old.verdict === 'refused' || now.verdict === 'refused') return undefined;
    if (old.by !== this.#filterName && now.by !== this.#filterName) return undefined;
    const seen = { body, before: describeOutcome(old), after: describeOutcome(now) };
    // A body that another filter drops instead shows less.
    if (seen.before === seen.after) return undefined;
    const opens = old.verdict === 'dropped' && now.verdict === 'accepted';
    return { ...seen, opens, isStrong: old.verdict !== now.verdict };
  }

  /** Removes members as long as the body stays a witness of the same difference. */
  async #smallest(body: JsonObject, { before, after, opens }: Found): Promise<NonNullable<Witness['found']>> {
    for (const smaller of withoutEach(body)) {
      if (this.#isOver()) break;
      const still = await this.#witnessOf(smaller);
      if (still?.before === before && still.after === after) return this.#smallest(smaller, still);
    }
    return { body, before, after, opens };
  }

  #requestOf(body: JsonObject) {
    return {
      project: this.#trigger.project.id,
      trigger: this.#trigger.key,
      caller: undefined,
      receivedAt: this.#options.now,
      headers: {},
      ip: '127.0.0.1',
      bodyText: JSON.stringify(body),
    };
  }
}

interface Found {
  readonly body: JsonObject;
  readonly before: string;
  readonly after: string;
  readonly opens: boolean;
  /** Whether it is accepted on one side only. */
  readonly isStrong: boolean;
}

function better<T extends { readonly score: number }>(one: T, other: T): T {
  return other.score > one.score ? other : one;
}

function merged(vocabularies: readonly FilterVocabulary[]): FilterVocabulary {
  const unique = <T>(values: readonly T[]) => [
    ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
  ];
  return {
    paths: unique(vocabularies.flatMap(({ paths }) => paths)),
    constants: unique(vocabularies.flatMap(({ constants }) => constants)),
  };
}
