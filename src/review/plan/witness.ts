import type { Filter, FilterReview, FilterVocabulary, JsonObject, JsonValue } from '../../contract/index.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { OpenConfig } from '../open-config.ts';
import { describeOutcome, Rehearsal, type RehearsedOutcome } from '../rehearsal.ts';
import { maskValues } from './behaviour.ts';
import { mutations, withoutEach } from './mutations.ts';
import type { Witness } from './plan.ts';
import { changedFilters, type FilterChange } from './trigger-details.ts';

export interface WitnessOptions {
  /** When to give up, by `performance.now()`. */
  readonly deadline: number;
  readonly now: number;
  /** Whether values that callers sent are shown. */
  readonly showBodies: boolean;
}

/** Requests to begin with. */
export interface KnownBodies {
  readonly ofTests: readonly JsonObject[];
  readonly recorded: readonly JsonObject[];
}

/** How many bodies are tried for one filter. */
const mostTried = 20_000;
/** How many bodies that are known already are begun with. */
const mostKnown = 30;

/**
 * Looks for a small request that tells a changed filter from what it was: bodies that are known (of tests, of recorded
 * requests) and an empty one, with members put in, changed and taken out as the words of both versions suggest.
 */
export async function findWitness(
  base: OpenConfig,
  head: OpenConfig,
  trigger: { readonly before: LiveTrigger; readonly after: LiveTrigger },
  change: FilterChange,
  known: KnownBodies,
  options: WitnessOptions,
): Promise<Witness> {
  const search = new WitnessSearch(base, head, trigger, change, options);
  const found = await search.find(known.ofTests.slice(0, mostKnown), known.recorded.slice(0, mostKnown));
  const place = change.after?.place ?? trigger.after.config.place;
  const id = `${trigger.after.project.id}/${trigger.after.trigger.key}`;
  const kind = change.before === undefined ? 'added' : change.after === undefined ? 'removed' : 'changed';
  return { trigger: id, filter: change.name, change: kind, found, tried: search.tried, place };
}

/** The filters that changed in a trigger that both configs have. */
export function witnessed(before: LiveTrigger, after: LiveTrigger): readonly FilterChange[] {
  return changedFilters(before.config.filters, after.config.filters);
}

class WitnessSearch {
  tried = 0;
  readonly #sides: readonly { readonly rehearsal: Rehearsal; readonly filter: Filter | undefined }[];
  readonly #reviews: readonly FilterReview[];
  readonly #trigger: LiveTrigger;
  readonly #options: WitnessOptions;

  constructor(
    base: OpenConfig,
    head: OpenConfig,
    { before, after }: { readonly before: LiveTrigger; readonly after: LiveTrigger },
    { name }: FilterChange,
    options: WitnessOptions,
  ) {
    const filterOf = (trigger: LiveTrigger) => trigger.filters.find((one) => one.name === name)?.filter;
    this.#sides = [
      { rehearsal: new Rehearsal(base.snapshot, { ignoresPause: true }), filter: filterOf(before) },
      { rehearsal: new Rehearsal(head.snapshot, { ignoresPause: true }), filter: filterOf(after) },
    ];
    // What the other filters of the trigger want matters too: a witness must come as far as the changed one.
    this.#reviews = [...before.filters, ...after.filters].flatMap(({ filter }) => filter.review?.() ?? []);
    this.#trigger = after;
    this.#options = options;
  }

  async find(ofTests: readonly JsonObject[], recorded: readonly JsonObject[]): Promise<Witness['found']> {
    const vocabulary = merged(this.#reviews.map((review) => review.vocabulary));
    const found = await this.#findFrom([{}, ...ofTests], vocabulary);
    if (found !== undefined || recorded.length === 0) return found;
    const sent = await this.#findFrom(recorded, vocabulary);
    if (sent === undefined || this.#options.showBodies) return sent;
    return { ...sent, body: maskValues(sent.body, new Set(vocabulary.constants)) };
  }

  async #findFrom(starts: readonly JsonObject[], vocabulary: FilterVocabulary): Promise<Witness['found']> {
    for (const start of starts) {
      const found = await this.#witnessOf(start);
      if (found !== undefined) return this.#smallest(start, found);
    }
    for (const start of [...starts, await this.#climb(starts, vocabulary)]) {
      for (const body of mutations(start, vocabulary)) {
        if (this.#isOver()) return undefined;
        const found = await this.#witnessOf(body);
        if (found !== undefined) return this.#smallest(body, found);
      }
    }
    return undefined;
  }

  /** The body that meets the most conditions, reached by changing one member after the other. */
  async #climb(starts: readonly JsonObject[], vocabulary: FilterVocabulary): Promise<JsonObject> {
    let best = { body: starts[0] ?? {}, score: -1 };
    for (const start of starts) best = better(best, { body: start, score: await this.#score(start) });
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
    const prepared = await this.#prepare(1, body);
    if (prepared === undefined) return -1;
    let score = 0;
    for (const review of this.#reviews) {
      for (const { seenTrue } of await review.observe(prepared)) score += Number(seenTrue);
    }
    return score;
  }

  #isOver(): boolean {
    return this.tried >= mostTried || performance.now() > this.#options.deadline;
  }

  /** How a body comes out under both configs, if it does so differently and for the filter's sake. */
  async #witnessOf(body: JsonObject): Promise<Found | undefined> {
    this.tried += 1;
    const [old, now] = [await this.#try(0, body), await this.#try(1, body)];
    if (old === undefined || now === undefined) return undefined;
    const before = describeOutcome(old);
    const after = describeOutcome(now);
    return before === after ? undefined : { body, before, after };
  }

  /** Takes members out as long as it stays a witness of the same difference. */
  async #smallest(body: JsonObject, found: Found): Promise<Found> {
    for (const smaller of withoutEach(body)) {
      const still = await this.#witnessOf(smaller);
      if (still?.before === found.before && still.after === found.after) return this.#smallest(smaller, still);
    }
    return found;
  }

  /** How a body comes out on one side, if the filter has to do with it there. */
  async #try(side: 0 | 1, body: JsonObject): Promise<RehearsedOutcome | undefined> {
    const outcome = await this.#sides[side]?.rehearsal.tryFilters(this.#requestOf(body));
    return outcome?.verdict === 'refused' ? undefined : outcome;
  }

  async #prepare(side: 0 | 1, body: JsonObject) {
    const prepared = await this.#sides[side]?.rehearsal.prepare(this.#requestOf(body));
    return prepared !== undefined && 'exchange' in prepared ? prepared.exchange : undefined;
  }

  #requestOf(body: JsonObject) {
    return {
      project: this.#trigger.project.id,
      trigger: this.#trigger.trigger.key,
      caller: undefined,
      receivedAt: this.#options.now,
      headers: {},
      ip: '127.0.0.1',
      bodyText: JSON.stringify(body),
    };
  }
}

type Found = NonNullable<Witness['found']> & { readonly body: JsonValue };

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
