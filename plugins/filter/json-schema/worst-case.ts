import type { AnySchema, AnySchemaObject } from 'ajv';
import type { References } from './references.ts';
import { readSubschema, type Subschema, Unanalysable } from './subschema.ts';

/** The most that validating any body costs, or why there is no bound that is linear in the size of the body. */
export type WorstCase =
  | { readonly kind: 'linear'; readonly perValue: number; readonly perCharacter: number }
  | {
      readonly kind: 'unbounded';
      readonly reason: string;
      /** The schema may apply itself to the same value forever. */
      readonly mayBeEndless: boolean;
    };

/** A higher cost per value is not worth a proof: hardly a body would be small enough. */
const maxPerValue = 10_000;
/** How many sets of subschemas are analysed. */
const maxStates = 10_000;
/** What comparing values for `uniqueItems` costs for each value of a body, and each character. */
const uniqueCost = { perValue: 20, perCharacter: 1 / 16 };

/**
 * Computes how often the subschemas of a schema may be applied to one value. A schema whose references form a directed
 * graph may apply one along many paths: twice for each level of a body, or of the graph, is exponential.
 *
 * `Applied` counts the paths on which each subschema reaches a value. From what the root applies to the body, it follows
 * every kind of member and item down, until no new combination appears. If it ends, the costliest combination bounds the
 * cost of every value of every body; if the counts grow with the depth of a body, it exceeds a limit.
 */
export function worstCaseOf(schema: AnySchema, references: References): WorstCase {
  try {
    return new Analysis(references).run(schema);
  } catch (error) {
    if (error instanceof Unanalysable) {
      return { kind: 'unbounded', reason: error.message, mayBeEndless: !(error instanceof TooOften) };
    }
    throw error;
  }
}

class TooOften extends Unanalysable {}

/** Subschemas that are applied to one value, and on how many paths each. */
type Applied = ReadonlyMap<AnySchemaObject, number>;

class Analysis {
  readonly #references: References;
  readonly #subschemas = new Map<AnySchemaObject, Subschema>();
  readonly #ids = new Map<AnySchemaObject, number>();
  /** Undefined while it is computed. */
  readonly #closures = new Map<AnySchemaObject, Applied | undefined>();
  readonly #seen = new Set<string>();
  readonly #pending: Applied[] = [];
  #perName = 0;
  #perCharacterOfNames = 0;

  constructor(references: References) {
    this.#references = references;
  }

  run(schema: AnySchema): WorstCase {
    let perValue = 1;
    let perCharacter = 0;
    this.#add(this.#together([[schema, 1]]));
    for (let applied = this.#pending.pop(); applied !== undefined; applied = this.#pending.pop()) {
      const cost = this.#costOf(applied);
      perValue = Math.max(perValue, cost.perValue);
      perCharacter = Math.max(perCharacter, cost.perCharacter);
      this.#descend(applied);
    }
    const unique = [...this.#subschemas.keys()].some(({ uniqueItems }) => uniqueItems === true);
    return {
      kind: 'linear',
      perValue: perValue + this.#perName + (unique ? uniqueCost.perValue : 0),
      perCharacter: perCharacter + this.#perCharacterOfNames + (unique ? uniqueCost.perCharacter : 0),
    };
  }

  #costOf(applied: Applied): { perValue: number; perCharacter: number } {
    let perValue = 0;
    let perCharacter = 0;
    for (const [schema, count] of applied) {
      const { cost } = this.#read(schema);
      perValue += count * (cost.perValue + cost.perMember);
      perCharacter += count * cost.perCharacter;
    }
    if (perValue > maxPerValue) throw new TooOften(this.#describe(applied));
    return { perValue, perCharacter };
  }

  #describe(applied: Applied): string {
    const counted = [...applied].map(([schema, count]) => ({ count, pointer: this.#read(schema).pointer }));
    // Its parts are applied as often as it is.
    const [often] = counted.sort((a, b) => b.count - a.count || a.pointer.length - b.pointer.length);
    return `/schema${often?.pointer ?? ''} may be applied too often to one value`;
  }

  /** Adds what the members and items of a value have applied to them. */
  #descend(applied: Applied): void {
    const parts = [...applied].map(([schema, count]) => ({ ...this.#read(schema), count }));
    const names = new Set(parts.flatMap(({ members }) => [...members.named.keys()]));
    for (const name of names) this.#add(this.#together(parts.flatMap((part) => membersNamed(part, name))));
    this.#add(this.#otherMembers(parts));
    const tuple = Math.max(0, ...parts.map(({ items }) => items.first.length));
    for (let index = 0; index <= tuple; index += 1) {
      this.#add(this.#together(parts.flatMap((part) => itemsAt(part, index))));
    }
    const named = this.#together(parts.flatMap(({ members, count }) => counted(members.names, count)));
    const cost = this.#costOf(named);
    this.#perName = Math.max(this.#perName, cost.perValue);
    this.#perCharacterOfNames = Math.max(this.#perCharacterOfNames, cost.perCharacter);
  }

  #add(applied: Applied): void {
    const key = [...applied]
      .map(([schema, count]) => `${this.#idOf(schema)}×${count}`)
      .sort()
      .join();
    if (applied.size === 0 || this.#seen.has(key)) return;
    if (this.#seen.size >= maxStates) throw new TooOften(this.#describe(applied));
    this.#seen.add(key);
    this.#pending.push(applied);
  }

  /** A member of another name may match all patterns of a subschema, or none. */
  #otherMembers(parts: readonly Part[]): Applied {
    const applied = new Map<AnySchemaObject, number>();
    for (const { members, count } of parts) {
      const matching = this.#together(members.patterns.map(({ schema }) => [schema, 1]));
      const other = this.#together(counted(members.others, 1));
      add(applied, maximum(matching, other), count);
      add(applied, this.#together(counted(members.all, 1)), count);
    }
    return applied;
  }

  /** What these schemas apply to one value, themselves and by keywords such as `allOf` and `$ref`. */
  #together(schemas: readonly Counted[]): Applied {
    const applied = new Map<AnySchemaObject, number>();
    for (const [schema, count] of schemas) {
      // `false` costs no more than its parent pays for each member.
      if (typeof schema === 'object') add(applied, this.#closureOf(schema), count);
    }
    return applied;
  }

  #closureOf(schema: AnySchemaObject): Applied {
    const known = this.#closures.get(schema);
    if (known !== undefined) return known;
    const { same, pointer } = this.#read(schema);
    if (this.#closures.has(schema)) throw new Unanalysable(`/schema${pointer} applies itself to the same value`);
    this.#closures.set(schema, undefined);
    const applied = new Map([[schema, 1]]);
    for (const part of same) add(applied, this.#closureOf(part), 1);
    this.#closures.set(schema, applied);
    return applied;
  }

  #read(schema: AnySchemaObject): Subschema {
    const known = this.#subschemas.get(schema);
    if (known !== undefined) return known;
    const read = readSubschema(schema, this.#references);
    this.#subschemas.set(schema, read);
    return read;
  }

  #idOf(schema: AnySchemaObject): number {
    const id = this.#ids.get(schema) ?? this.#ids.size;
    this.#ids.set(schema, id);
    return id;
  }
}

type Counted = readonly [schema: AnySchema, count: number];
type Part = Subschema & { readonly count: number };

function counted(schemas: readonly AnySchema[], count: number): readonly Counted[] {
  return schemas.map((schema) => [schema, count]);
}

function membersNamed({ members, count }: Part, name: string): readonly Counted[] {
  const own = members.named.get(name);
  const matching = members.patterns.filter(({ pattern }) => pattern.test(name)).map(({ schema }) => schema);
  const specific = own === undefined ? matching : [own, ...matching];
  return counted([...(specific.length === 0 ? members.others : specific), ...members.all], count);
}

function itemsAt({ items, count }: Part, index: number): readonly Counted[] {
  const first = items.first[index];
  return counted([...(first === undefined ? items.others : [first]), ...items.all], count);
}

function maximum(one: Applied, another: Applied): Applied {
  const larger = new Map(one);
  for (const [schema, count] of another) larger.set(schema, Math.max(count, larger.get(schema) ?? 0));
  return larger;
}

function add(sum: Map<AnySchemaObject, number>, applied: Applied, times: number): void {
  for (const [schema, count] of applied) sum.set(schema, (sum.get(schema) ?? 0) + count * times);
}
