/**
 * Decides `uniqueItems` in linear time, where a comparison of all pairs is quadratic. Equal values get the same
 * representative: a primitive itself, one of the objects or arrays that are equal otherwise.
 */
export class UniqueItems {
  readonly #representatives = new Map<string, Representative>();
  /** An array within another that must be unique too is represented once. */
  readonly #known = new Map<object, Representative>();

  /** Forgets the values of the last body. */
  clear(): void {
    this.#representatives.clear();
    this.#known.clear();
  }

  hasDuplicates(items: readonly unknown[]): boolean {
    const seen = new Set<unknown>();
    for (const item of items) {
      const value = isContainer(item) ? this.#representativeOf(item) : item;
      if (seen.has(value)) return true;
      seen.add(value);
    }
    return false;
  }

  #representativeOf(value: object): Representative {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const form = Array.isArray(value) ? this.#formOfArray(value) : this.#formOfObject(value);
    const representative = this.#representatives.get(form) ?? { number: this.#representatives.size };
    this.#representatives.set(form, representative);
    this.#known.set(value, representative);
    return representative;
  }

  #formOfArray(items: readonly unknown[]): string {
    let form = '[';
    for (const item of items) form += `${this.#tokenOf(item)},`;
    return form;
  }

  /** Its members in the order of their names. */
  #formOfObject(value: object): string {
    const members = value as Readonly<Record<string, unknown>>;
    let form = '{';
    for (const name of Object.keys(members).sort()) form += `${JSON.stringify(name)}:${this.#tokenOf(members[name])},`;
    return form;
  }

  #tokenOf(value: unknown): string {
    if (isContainer(value)) return `#${this.#representativeOf(value).number}`;
    return typeof value === 'string' ? JSON.stringify(value) : String(value === 0 ? 0 : value);
  }
}

interface Representative {
  readonly number: number;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
