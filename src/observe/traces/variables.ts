/** The variables of an environment, and what is wrong with them. An empty one counts as unset, as OpenTelemetry says. */
export class Variables {
  readonly warnings: string[] = [];
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  text(name: string): string | undefined {
    const value = this.#environment[name]?.trim();
    return value === '' ? undefined : value;
  }

  /** The first of two variables that is set, and its name: the one of traces counts before the one of all signals. */
  first(...names: readonly string[]): { readonly name: string; readonly value: string } | undefined {
    for (const name of names) {
      const value = this.text(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  }

  /** A whole number from 1 to `most`. */
  integer(name: string, otherwise: number, most: number): number {
    const text = this.text(name);
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= 1 && value <= most) return value;
    this.warn(`${name} must be a whole number from 1 to ${most}; using ${otherwise}`);
    return otherwise;
  }

  /** A list `name=value,name=value`, with values in percent-encoding; empty if it is invalid. */
  pairs(name: string): Readonly<Record<string, string>> {
    const text = this.text(name);
    if (text === undefined) return {};
    try {
      const items = text.split(',').filter((item) => item.trim() !== '');
      return Object.fromEntries(items.map(pairIn));
    } catch {
      this.warn(`${name} is not a list of name=value with values in percent-encoding; it is ignored`);
      return {};
    }
  }
}

/** Throws if it is none. */
function pairIn(item: string): readonly [string, string] {
  const equals = item.indexOf('=');
  const name = item.slice(0, equals).trim();
  if (equals < 1 || name === '') throw new Error('no pair');
  return [decodeURIComponent(name), decodeURIComponent(item.slice(equals + 1).trim())];
}
