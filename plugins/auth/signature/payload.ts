import type { RequestHead } from '../../../src/contract/index.ts';
import { type BodyValues, bodyReader } from './body-values.ts';
import { formParameters, isForm } from './form-parameters.ts';
import { type Format, payloadOf } from './format.ts';
import { type BodySource, type HeadSource, parseSource, readHead } from './source.ts';
import type { Pieces } from './verifier.ts';

/** What a sender signs, once the head of a request is known. */
export interface SignedPayload {
  /** The signed text as the sender may have written it; undefined if the body lacks a part of it. */
  pieces(body: Uint8Array, valueAt: BodyValues): readonly Pieces[] | undefined;
}

/** The values that a payload is made of in addition to the body. */
export interface PayloadValues {
  readonly request: RequestHead;
  readonly items: readonly string[];
  /** Undefined while it is to be read from the body. */
  readonly timestamp: string | undefined;
  readonly id: string | undefined;
  /** Whether the hash of the body is signed in place of a form. */
  readonly isHashed: boolean;
}

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: Placeholder }
  | { readonly kind: 'head'; readonly source: HeadSource }
  | BodySource;

const placeholders = ['body', 'form', 'timestamp', 'id', 'url', 'method', 'path'] as const;
type Placeholder = (typeof placeholders)[number];

/** Splits a template into its parts. Braces around anything else are text. */
export function partsOf(template: string): readonly Part[] {
  return template
    .split(/(\{[^{}]*\})/)
    .filter((text) => text !== '')
    .map((text) => placeholderOf(text) ?? { kind: 'text', text });
}

function placeholderOf(text: string): Part | undefined {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  const name = text.slice(1, -1);
  const kind = placeholders.find((placeholder) => placeholder === name);
  if (kind !== undefined) return { kind };
  const source = parseSource(name);
  if (source === undefined || source.kind === 'body') return source;
  return { kind: 'head', source };
}

/** Whether a template signs all of a body, whatever the head of the request says. */
export function coversBody(template: string): boolean {
  return partsOf(template).some((part) => (part.kind === 'body' && !('path' in part)) || part.kind === 'form');
}

type Late = { readonly kind: 'body' | 'form' | 'timestamp' } | BodySource;

/**
 * Returns what resolves a template in two steps, the head first.
 * @param timestamp where it stands in the body, if it does
 */
export function payloadReader(
  template: string,
  timestamp: BodySource | undefined,
  urlsOf: (request: RequestHead) => readonly string[],
): (values: PayloadValues) => SignedPayload | undefined {
  const parts = partsOf(template);
  const hasUrl = parts.some(({ kind }) => kind === 'url');
  return (values) => {
    const urls = hasUrl ? urlsOf(values.request) : [''];
    const headPieces = parts.map((part) => headPiece(part, values));
    if (urls.length === 0 || headPieces.includes(undefined)) return undefined;
    return {
      pieces(body, valueAt) {
        const latePiece = lateReader(body, valueAt, values, timestamp);
        // The body is read once, however many URLs may have been signed.
        const pieces = headPieces.map((piece) => (typeof piece === 'object' ? latePiece(piece) : piece));
        const isWhole = (all: typeof pieces): all is Exclude<(typeof pieces)[number], undefined>[] =>
          !all.includes(undefined);
        if (!isWhole(pieces)) return undefined;
        return urls.map((url) => pieces.map((piece) => (piece === urlPiece ? url : piece)));
      },
    };
  };
}

/** Stands for the URL until its variants are filled in. */
const urlPiece = Symbol('url');

/** A part that the head of a request settles, or one of its body as it is; undefined if the head lacks it. */
function headPiece(
  part: Part,
  { request, items, timestamp, id }: PayloadValues,
): string | typeof urlPiece | Late | undefined {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'timestamp':
      return timestamp ?? { kind: 'timestamp' };
    case 'id':
      return id;
    case 'url':
      return urlPiece;
    case 'method':
      return request.method;
    case 'path':
      return request.path;
    case 'head':
      return readHead(part.source, request, items);
    case 'body':
      return 'path' in part ? part : { kind: 'body' };
    case 'form':
      return { kind: 'form' };
  }
}

function lateReader(
  body: Uint8Array,
  valueAt: BodyValues,
  { request, isHashed }: PayloadValues,
  timestamp: BodySource | undefined,
): (part: Late) => string | Uint8Array | undefined {
  return (part) => {
    if ('path' in part) return valueAt(part);
    switch (part.kind) {
      case 'body':
        return body;
      case 'timestamp':
        return timestamp && valueAt(timestamp);
      case 'form':
        if (isHashed) return '';
        return isForm(body, request.headers['content-type']) ? formParameters(body) : undefined;
    }
  };
}

/** The scalar at a place of a body; undefined if there is none, or more than one. */
export function onlyScalar(body: Uint8Array, source: BodySource): string | undefined {
  return bodyReader([source])(body)(source);
}

/** The places of a body that a format reads. */
export function bodySourcesOf(format: Format): readonly BodySource[] {
  const places = [format.signature, format.timestamp].map((place) => (place ? parseSource(place) : undefined));
  return [...places, ...partsOf(payloadOf(format))].filter(
    (place): place is BodySource => place?.kind === 'body' && 'path' in place,
  );
}
