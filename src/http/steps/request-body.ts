import type { IncomingHttpHeaders } from 'node:http';
import type { BodyKind } from '../../config/model.ts';
import { acceptedCodings, type ContentCoding, codingsOf } from '../../runtime/body/content-coding.ts';
import { type BodyType, bodyTypeOf, mediaTypes } from '../../runtime/body/media-type.ts';

/** What the headers of a request say of its body. */
export type DescribedBody =
  | { readonly kind: 'readable'; readonly type: BodyType; readonly codings: readonly ContentCoding[] }
  | { readonly kind: 'unsupported'; readonly why: 'type' | 'coding' };

const unsupportedType: DescribedBody = { kind: 'unsupported', why: 'type' };
const unsupportedCoding: DescribedBody = { kind: 'unsupported', why: 'coding' };

export function describeBody(headers: IncomingHttpHeaders, accept: readonly BodyKind[]): DescribedBody {
  const codings = codingsOf(headers['content-encoding']);
  if (codings === undefined) return unsupportedCoding;
  const type = bodyTypeOf(headers['content-type'], accept);
  return type === undefined ? unsupportedType : { kind: 'readable', type, codings };
}

/** What the answer 415 says: what would be accepted (RFC 9110 §15.5.16). */
export function acceptance(why: 'type' | 'coding', accept: readonly BodyKind[]) {
  if (why === 'coding') {
    const detail = `The trigger accepts at most two content codings of ${acceptedCodings}.`;
    return { members: { detail, acceptEncoding: acceptedCodings.split(', ') }, headers: codingHeaders };
  }
  const types = [
    ...accept.flatMap((kind) => mediaTypes[kind]),
    ...(accept.includes('json') && !accept.includes('text') ? ['text/plain'] : []),
  ];
  const detail = `The trigger accepts ${types.join(', ')}, in UTF-8.`;
  return { members: { detail, accept: types }, headers: { accept: types.join(', ') } };
}

const codingHeaders = { 'accept-encoding': acceptedCodings };
