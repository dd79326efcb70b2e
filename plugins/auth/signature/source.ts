import { pointerSegments, type RequestHead } from '../../../src/contract/index.ts';

/** Where a value stands in a request, written `header:NAME`, `query:NAME`, `item:NAME` or `body:POINTER`. */
export type Source = HeadSource | BodySource;

export interface HeadSource {
  /** `item` is one of the `name=value` items of the header with the signature. */
  readonly kind: 'header' | 'query' | 'item';
  readonly name: string;
}

export interface BodySource {
  readonly kind: 'body';
  /** JSON pointer (RFC 6901) into the body, where `*` is each item of a list. */
  readonly pointer: string;
  readonly path: readonly string[];
}

/** Parses a source; undefined if it is not one. */
export function parseSource(text: string): Source | undefined {
  const [, kind, name = ''] = /^(header|query|item|body):(.+)$/.exec(text) ?? [];
  switch (kind) {
    case 'header':
      return { kind, name: name.toLowerCase() };
    case 'query':
    case 'item':
      return { kind, name };
    case 'body':
      return name.startsWith('/') ? { kind, pointer: name, path: pointerSegments(name) } : undefined;
    default:
      return undefined;
  }
}

/**
 * Reads a value from the head of a request. Undefined if it is missing, or there are several, of which each reader might
 * take another one.
 * @param items those of the header with the signature
 */
export function readHead(
  { kind, name }: HeadSource,
  { headers, query }: RequestHead,
  items: readonly string[],
): string | undefined {
  switch (kind) {
    case 'header': {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
      return typeof value === 'string' ? value : undefined;
    }
    case 'query':
      return query === '' ? undefined : only(new URLSearchParams(query).getAll(name));
    case 'item':
      return only(items.flatMap((item) => (item.startsWith(`${name}=`) ? [item.slice(name.length + 1)] : [])));
  }
}

function only(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}
