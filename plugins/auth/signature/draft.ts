import { hash, randomUUID } from 'node:crypto';
import type { RequestHead, SentRequest } from '../../../src/contract/index.ts';
import { type BodySource, parseSource, readHead, type Source } from './source.ts';

/** A request that is being signed: values are set at the places where the gateway finds them. */
export class Draft {
  /** New, for senders that number their messages. */
  readonly id = randomUUID();
  readonly headers: Record<string, string>;
  /** The `name=value` items that precede the signature in its header. */
  readonly items: string[] = [];
  readonly #url: URL;
  #body: string;

  constructor({ url, headers, body }: SentRequest) {
    this.#url = new URL(url);
    this.headers = { ...headers };
    this.#body = body;
  }

  get body(): string {
    return this.#body;
  }

  request(): SentRequest {
    return { url: this.#url.href, headers: this.headers, body: this.#body };
  }

  /** The head that the gateway gets. */
  head(): RequestHead {
    const { pathname, search, host } = this.#url;
    return {
      ...{ requestId: '', receivedAt: 0, method: 'POST', ip: '' },
      path: pathname,
      query: search.slice(1),
      headers: { host, ...this.headers },
    };
  }

  bodyHash(): string {
    return hash('sha256', this.#body);
  }

  isInBody(place: string): boolean {
    return parseSource(place)?.kind === 'body';
  }

  get(place: string): string | undefined {
    const source = parseSource(place);
    return source === undefined || source.kind === 'body' ? undefined : readHead(source, this.head(), this.items);
  }

  set(place: string | Source, value: string | number): void {
    const source = typeof place === 'string' ? parseSource(place) : place;
    switch (source?.kind) {
      case 'header':
        this.headers[source.name] = String(value);
        break;
      case 'query':
        this.#url.searchParams.set(source.name, String(value));
        break;
      case 'item':
        this.items.push(`${source.name}=${value}`);
        break;
      case 'body':
        this.#setInBody(source, () => value);
    }
  }

  /** Sets a value that the request does not have yet. */
  setMissing(place: string | BodySource, value: string): void {
    const source = typeof place === 'string' ? parseSource(place) : place;
    if (source === undefined) return;
    if (source.kind === 'body') this.#setInBody(source, (before) => before ?? value);
    else if (readHead(source, this.head(), this.items) === undefined) this.set(source, value);
  }

  #members(): object {
    if (this.#body === '') return {};
    try {
      const members: unknown = JSON.parse(this.#body);
      if (typeof members === 'object' && members !== null && !Array.isArray(members)) return members;
    } catch {}
    throw new CannotSign('the signature stands in the body, and this body is no JSON object');
  }

  #setInBody({ path }: BodySource, replace: (before: unknown) => unknown): void {
    const root = this.#members();
    setAt(root, path, replace);
    this.#body = JSON.stringify(root);
  }
}

/** Why a request cannot be signed. */
export class CannotSign extends Error {}

/** Sets the members at a path, where `*` is each item of a list; objects on the way are created. */
function setAt(node: unknown, path: readonly string[], replace: (before: unknown) => unknown): void {
  const [name = '', ...rest] = path;
  if (typeof node !== 'object' || node === null) return;
  const names = name === '*' ? Object.keys(node) : [name];
  for (const one of names) {
    const before: unknown = Reflect.get(node, one);
    if (rest.length === 0) Reflect.set(node, one, replace(before));
    else {
      if (before === undefined) Reflect.set(node, one, {});
      setAt(Reflect.get(node, one), rest, replace);
    }
  }
}
