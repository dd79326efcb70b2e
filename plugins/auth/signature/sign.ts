import { createHmac, createPrivateKey, sign as signWith } from 'node:crypto';
import type { RequestHead, SentRequest, Signing, SignResult, UnresolvedOptions } from '../../../src/contract/index.ts';
import { bodyReader } from './body-values.ts';
import { CannotSign, Draft } from './draft.ts';
import { isForm } from './form-parameters.ts';
import { type Format, keyKindOf, payloadOf } from './format.ts';
import { hmacKey } from './keys.ts';
import type { Options } from './options.gen.ts';
import { bodySourcesOf, partsOf, payloadReader } from './payload.ts';
import { formatsOfUnresolved } from './presets.ts';
import { publicUrls } from './public-url.ts';
import { parseSource } from './source.ts';
import type { Pieces } from './verifier.ts';

/** Signs a request as the sender of the options does. Members of the body that carry a signature or its time are set. */
export function sign(options: UnresolvedOptions<Options>, request: SentRequest, signing: Signing): SignResult {
  const format = formatFor(formatsOfUnresolved(options), signing.secret);
  if (format === undefined) {
    return failed(
      isPrivateKey(signing.secret) ? 'the sender has no key pair' : 'the sender signs with a private key, in PEM',
    );
  }
  try {
    const draft = new Draft(request);
    nameEvent(draft, format, signing.event);
    if (format.algorithm === 'token') draft.set(format.signature, format.prefix + signing.secret);
    else addSignature(draft, format, signing, textOf(options.publicUrl));
    return { ok: true, request: draft.request() };
  } catch (error) {
    if (error instanceof CannotSign) return failed(error.message);
    throw error;
  }
}

/** The schema lets nothing else pass: it is no secret. */
function textOf(option: unknown): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

function failed(reason: string): SignResult {
  return { ok: false, reason };
}

/** The first format that a secret fits: a sender that signs in one way with one kind of secret sends another as it is. */
function formatFor(formats: readonly Format[], secret: string): Format | undefined {
  const fitting = formats.filter((format) => (keyKindOf(format) === 'public') === isPrivateKey(secret));
  const isOwn = ({ key }: Format) => key !== 'whsec' || /^(?:v1,)?whsec_/.test(secret);
  return fitting.find(isOwn) ?? fitting[0];
}

function isPrivateKey(secret: string): boolean {
  return secret.includes('PRIVATE KEY-----');
}

/** Writes type and id of the event where the sender has headers for them. */
function nameEvent(draft: Draft, { event = {} }: Format, name: string | undefined): void {
  const headerOf = (places: string | string[] = []) => [places].flat().find((place) => place.startsWith('header:'));
  const nameHeader = headerOf(event.name);
  if (name !== undefined && nameHeader === undefined) {
    const place = [event.name ?? []].flat()[0];
    throw new CannotSign(`this sender has no header for the type of an event${place ? `: it is ${place}` : ''}`);
  }
  if (name !== undefined && nameHeader !== undefined) draft.set(nameHeader, name);
  const idHeader = headerOf(event.id);
  if (idHeader !== undefined) draft.setMissing(idHeader, draft.id);
}

function addSignature(draft: Draft, format: Format, signing: Signing, publicUrl: string | undefined): void {
  const payload = payloadOf(format);
  const seconds = String(Math.floor(signing.at / 1000));
  if (format.id !== undefined) draft.setMissing(format.id, draft.id);
  if (format.timestamp !== undefined)
    draft.set(format.timestamp, draft.isInBody(format.timestamp) ? signing.at : seconds);
  for (const part of partsOf(payload)) if (part.kind === 'body' && 'path' in part) draft.setMissing(part, draft.id);
  const isHashed = format.bodyHash !== undefined && !isForm(Buffer.from(draft.body), draft.headers['content-type']);
  if (isHashed && format.bodyHash !== undefined) draft.set(format.bodyHash, draft.bodyHash());
  const pieces = signedPieces(draft, format, { seconds, isHashed, publicUrl });
  const signature = format.prefix + signatureOf(format, signing.secret, pieces).toString(format.encoding);
  draft.set(format.signature, [...draft.items, signature].join(format.separator));
}

/** What the sender signs, read from the draft as the gateway will read it from the request. */
function signedPieces(
  draft: Draft,
  format: Format,
  { seconds, isHashed, publicUrl }: { seconds: string; isHashed: boolean; publicUrl: string | undefined },
): Pieces {
  const request: RequestHead = draft.head();
  const body = Buffer.from(draft.body);
  const timestamp = format.timestamp === undefined ? undefined : parseSource(format.timestamp);
  const late = timestamp?.kind === 'body' ? timestamp : undefined;
  const read = payloadReader(payloadOf(format), late, publicUrls(publicUrl));
  const id = format.id === undefined ? undefined : draft.get(format.id);
  const values = { request, items: draft.items, timestamp: late ? undefined : seconds, id, isHashed };
  const pieces = read(values)?.pieces(body, bodyReader(bodySourcesOf(format))(body))?.[0];
  if (pieces === undefined) throw new CannotSign(`the request lacks a part of what is signed: ${payloadOf(format)}`);
  return pieces;
}

function signatureOf(format: Format, secret: string, pieces: Pieces): Buffer {
  const { algorithm } = format;
  if (keyKindOf(format) === 'public') {
    const text = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
    return signWith(algorithm === 'ed25519' ? null : 'sha256', text, privateKey(secret));
  }
  const key = hmacKey(secret, format.key);
  if (!key.ok) throw new CannotSign(key.message);
  const hmac = createHmac(algorithm.slice('hmac-'.length), key.key);
  for (const piece of pieces) hmac.update(piece);
  return hmac.digest();
}

function privateKey(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new CannotSign('the private key is not valid PEM');
  }
}
