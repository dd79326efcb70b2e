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
    const form = Array.isArray(value)
      ? `[${value.map((item) => this.#tokenOf(item)).join()}]`
      : `{${Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, member]) => `${JSON.stringify(name)}:${this.#tokenOf(member)}`)
          .join()}}`;
    const representative = this.#representatives.get(form) ?? { number: this.#representatives.size };
    this.#representatives.set(form, representative);
    this.#known.set(value, representative);
    return representative;
  }

  #tokenOf(value: unknown): string {
    return isContainer(value) ? `#${this.#representativeOf(value).number}` : JSON.stringify(value);
  }
}

interface Representative {
  readonly number: number;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
