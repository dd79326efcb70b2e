import { hash } from 'node:crypto';
import type { RequestHead } from '../../../src/contract/index.ts';
import { scalarFinder } from '../json-values.ts';
import { type BodyValues, bodyReader } from './body-values.ts';
import { type Format, keyKindOf, payloadOf } from './format.ts';
import { bodySourcesOf, coversBody, type PayloadValues, payloadReader } from './payload.ts';
import { itemsOf, parseTimestamp, signaturesIn } from './signature-text.ts';
import { type HeadSource, parseSource, readHead, type Source } from './source.ts';
import type { Verifier } from './verifier.ts';

/** What a signature proves. `absent`: the request has none of this form. */
export type Outcome =
  | { readonly kind: 'absent' | 'malformed' | 'untimely' | 'wrong' | 'wrong token' }
  /** `key` is the position of the key that it was made with, or of the secret that was sent. */
  | { readonly kind: 'verified'; readonly key: number };

/** What the head of a request shows of its signature. */
export type HeadOutcome =
  | Outcome
  /** `json` are the members of the body as JSON text: by default the body itself. */
  | { readonly kind: 'needs_body'; verify(body: Uint8Array, json?: Uint8Array): Outcome };

/** How requests are verified that are signed in one format. */
export interface Scheme {
  /** Whether it reads members of the body, in addition to its bytes. */
  readonly readsBody: boolean;
  read(request: RequestHead): HeadOutcome;
}

export interface SchemeParts {
  readonly verifier: Verifier;
  /** Finds the position of a secret, for formats where it is sent as it is. */
  readonly findSecret: (shown: string) => number | undefined;
  readonly toleranceMs: number;
  readonly urlsOf: (request: RequestHead) => readonly string[];
}

export function schemeOf(format: Format, parts: SchemeParts): Scheme {
  return keyKindOf(format) === 'token' ? tokenScheme(format, parts) : signatureScheme(format, parts);
}

function tokenScheme({ signature, prefix }: Format, { findSecret }: SchemeParts): Scheme {
  const source = sourceOf(signature);
  const keyOf = (shown: string | undefined) =>
    shown === undefined || shown === prefix || !shown.startsWith(prefix)
      ? undefined
      : findSecret(shown.slice(prefix.length));
  if (source.kind !== 'body') {
    return {
      readsBody: false,
      read(request) {
        const shown = readHead(source, request, []);
        if (shown === undefined) return missing(source, request);
        const key = keyOf(shown);
        return key === undefined ? wrongToken : { kind: 'verified', key };
      },
    };
  }
  const find = scalarFinder([source.path]);
  return {
    readsBody: true,
    read: () => ({
      kind: 'needs_body',
      verify(body, json = body) {
        const [shown = []] = find(json);
        if (shown.every((one) => one === undefined)) return absent;
        // A batch is as trustworthy as each of its items.
        const [key, ...others] = shown.map(keyOf);
        return key === undefined || others.includes(undefined) ? wrongToken : { kind: 'verified', key };
      },
    }),
  };
}

function signatureScheme(format: Format, parts: SchemeParts): Scheme {
  const { separator } = format;
  const { verifier } = parts;
  const signature = sourceOf(format.signature);
  const bodyHash = optionalSource(format.bodyHash);
  const timestamp = optionalSource(format.timestamp);
  const id = optionalSource(format.id);
  const lateTimestamp = timestamp?.kind === 'body' ? timestamp : undefined;
  const payloadIn = payloadReader(payloadOf(format), lateTimestamp, parts.urlsOf);
  const needsHash = bodyHash !== undefined && !coversBody(payloadOf(format));
  const bodySources = bodySourcesOf(format);
  const readBody = bodyReader(bodySources);
  const isDotted = payloadOf(format) === dottedPayload;
  const isTimely = (text: string | undefined, { receivedAt }: RequestHead): boolean | undefined => {
    const timestampMs = parseTimestamp(text);
    return timestampMs === undefined ? undefined : Math.abs(receivedAt - timestampMs) <= parts.toleranceMs;
  };

  /** The head of a request whose signatures are known, or are to be read from its body. */
  const readSigned = (request: RequestHead, items: readonly string[], signatures: readonly Buffer[] | undefined) => {
    const timeText = timestamp && timestamp.kind !== 'body' ? readHead(timestamp, request, items) : undefined;
    if (timestamp !== undefined && timestamp.kind !== 'body') {
      const timely = isTimely(timeText, request);
      if (timely !== true) return timely === false ? untimely : malformed;
    }
    const stated = bodyHash && bodyHash.kind !== 'body' ? readHead(bodyHash, request, items) : undefined;
    // Without its hash, any body would pass.
    if (needsHash && stated === undefined) return malformed;
    const values: PayloadValues = {
      ...{ request, items, timestamp: timeText, isHashed: stated !== undefined },
      id: id && id.kind !== 'body' ? readHead(id, request, items) : undefined,
    };
    const isIdGood = id === undefined || (values.id && !(isDotted && values.id.includes('.')));
    const payload = isIdGood ? payloadIn(values) : undefined;
    if (payload === undefined) return malformed;
    return {
      kind: 'needs_body' as const,
      verify(body: Uint8Array, json: Uint8Array = body): Outcome {
        const valueAt = readBody(json);
        const offered = signatures ?? signaturesOf(valueAt);
        if (offered === undefined) return absent;
        if (offered.length === 0) return malformed;
        if (stated !== undefined && hash('sha256', body) !== stated.toLowerCase()) return wrong;
        let key: number | undefined;
        for (const pieces of payload.pieces(body, valueAt) ?? []) key = verifier.find(pieces, offered) ?? key;
        if (key === undefined) return wrong;
        if (lateTimestamp !== undefined) {
          const timely = isTimely(valueAt(lateTimestamp), request);
          if (timely !== true) return timely === false ? untimely : malformed;
        }
        return { kind: 'verified', key };
      },
    };
  };

  const signaturesOf = (valueAt: BodyValues): readonly Buffer[] | undefined => {
    const text = signature.kind === 'body' ? valueAt(signature) : undefined;
    return text === undefined ? undefined : signaturesIn(itemsOf(text, separator), format, verifier.isLength);
  };

  return {
    readsBody: bodySources.length > 0,
    read(request) {
      if (signature.kind === 'body') return readSigned(request, [], undefined);
      const field = readHead(signature, request, []);
      if (field === undefined) return missing(signature, request);
      const items = itemsOf(field, separator);
      const signatures = signaturesIn(items, format, verifier.isLength);
      return signatures.length === 0 ? malformed : readSigned(request, items, signatures);
    },
  };
}

/**
 * What Standard Webhooks signs. With a dot in the id, one text could be read in two ways: part of a body that was signed
 * long ago would pass for a new time.
 */
const dottedPayload = '{id}.{timestamp}.{body}';

const absent: Outcome = { kind: 'absent' };
const malformed: Outcome = { kind: 'malformed' };
const untimely: Outcome = { kind: 'untimely' };
const wrong: Outcome = { kind: 'wrong' };
const wrongToken: Outcome = { kind: 'wrong token' };

/** Several values count as one that is malformed. */
function missing({ kind, name }: HeadSource, { headers }: RequestHead): Outcome {
  return kind === 'header' && Object.hasOwn(headers, name) && headers[name] !== undefined ? malformed : absent;
}

/** The schema lets nothing else pass. */
function sourceOf(text: string): Source {
  const source = parseSource(text);
  if (source === undefined) throw new Error(`${text} is not a place in a request`);
  return source;
}

function optionalSource(text: string | undefined): Source | undefined {
  return text === undefined ? undefined : sourceOf(text);
}
