import { parseOrigin } from '../schema/origin.ts';

/** The origins of pages that may read answers. */
export class OriginSet {
  readonly isAny: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #subdomains: readonly { readonly scheme: string; readonly suffix: string }[];

  /** @param written valid entries of `origins` */
  constructor(written: readonly string[]) {
    const patterns = written.flatMap((text) => parseOrigin(text) ?? []);
    this.isAny = patterns.some(({ kind }) => kind === 'any');
    this.#exact = new Set(patterns.flatMap((pattern) => (pattern.kind === 'exact' ? [pattern.origin] : [])));
    this.#subdomains = patterns.filter((pattern) => pattern.kind === 'subdomains');
  }

  /** @param origin as the header `Origin` has it */
  has(origin: string): boolean {
    if (this.isAny || this.#exact.has(origin)) return true;
    return this.#subdomains.some(({ scheme, suffix }) => origin.startsWith(scheme) && isBelow(origin, scheme, suffix));
  }
}

/** The rest may be host names only: `https://evil.example/.example.com` is no origin, but a header can hold it. */
function isBelow(origin: string, scheme: string, suffix: string): boolean {
  if (!origin.endsWith(suffix)) return false;
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(origin.slice(scheme.length, -suffix.length));
}
