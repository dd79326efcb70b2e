import type { OptionsProblem } from '../../../src/contract/index.ts';
import { type Format, keyKindOf, payloadOf } from './format.ts';
import { repliesWithHmac } from './handshake.ts';
import type { Options } from './options.gen.ts';
import { coversBody, partsOf } from './payload.ts';
import { parseSource } from './source.ts';

/** What makes an HMAC form insecure or contradictory. */
export function faultsOfHmac({ payload, timestampHeader }: NonNullable<Options['hmac']>): readonly OptionsProblem[] {
  const message = faultOfHmacPayload(
    payload ?? (timestampHeader === undefined ? '{body}' : '{timestamp}.{body}'),
    timestampHeader !== undefined,
  );
  return message === undefined ? [] : [{ pointer: '/hmac/payload', message, hint: 'For example {timestamp}.{body}' }];
}

function faultOfHmacPayload(payload: string, hasTime: boolean): string | undefined {
  if (payload.split('{body}').length !== 2) return 'must hold {body} once';
  const signsTime = payload.includes('{timestamp}');
  if (hasTime && !signsTime) return 'must hold {timestamp}: a time that is not signed can be changed by anyone';
  return signsTime && !hasTime ? 'holds {timestamp}, and there is no timestampHeader' : undefined;
}

/** What makes a format insecure or contradictory. */
export function faultsOfFormat(format: Format): readonly OptionsProblem[] {
  const problems = keyKindOf(format) === 'token' ? faultsOfToken(format) : faultsOfPayload(format);
  return [...problems, ...faultsOfHandshakes(format)].map((problem) => ({
    ...problem,
    pointer: `/custom${problem.pointer}`,
  }));
}

function faultsOfToken(format: Format): OptionsProblem[] {
  const unused = (['timestamp', 'id', 'payload', 'bodyHash'] as const).filter((name) => format[name] !== undefined);
  return unused.map((name) => ({ pointer: `/${name}`, message: 'does not apply to a token, which signs nothing' }));
}

function faultsOfPayload(format: Format): OptionsProblem[] {
  const problems: OptionsProblem[] = [];
  const payload = payloadOf(format);
  const parts = partsOf(payload);
  const has = (kind: string) => parts.some((part) => part.kind === kind && !('path' in part));
  const fault = (message: string, hint?: string) =>
    problems.push({ pointer: '/payload', message, ...(hint !== undefined && { hint }) });
  for (const part of parts) {
    const [unknown] = part.kind === 'text' ? (/\{[^{}]*\}/.exec(part.text) ?? []) : [];
    if (unknown !== undefined)
      fault(`${unknown} is not a placeholder`, 'Places are written {header:NAME} or {body:/POINTER}.');
  }
  const { timestamp, id, bodyHash, signature } = format;
  if (has('timestamp') && timestamp === undefined) fault('holds {timestamp}, and there is no timestamp');
  if (has('id') && id === undefined) fault('holds {id}, and there is no id');
  if (id?.startsWith('body:'))
    problems.push({ pointer: '/id', message: 'must not be in the body, which is signed anyway' });
  if (bodyHash?.startsWith('body:')) problems.push({ pointer: '/bodyHash', message: 'must not be in the body' });
  if (signature.startsWith('body:') && parts.some(({ kind }) => kind === 'body') && has('body')) {
    fault('cannot hold {body}: the signature is in it');
  }
  if (timestamp !== undefined && !signs(timestamp, 'timestamp')) {
    fault(
      'must hold {timestamp}: a time that is not signed can be changed by anyone',
      'For example {timestamp}.{body}',
    );
  }
  if (bodyHash !== undefined && !signs(bodyHash, 'body')) {
    fault(`must hold {${bodyHash}}: a hash that is not signed can be changed by anyone`);
  }
  return problems;

  function signs(place: string, placeholder: 'timestamp' | 'body'): boolean {
    if (has(placeholder) || payload.includes(`{${place}}`)) return true;
    const source = parseSource(place);
    return (source?.kind === 'body' && has('body')) || (source?.kind === 'query' && has('url'));
  }
}

/** Whether what is signed covers the whole body. */
export function signsBody(format: Format): boolean {
  if (keyKindOf(format) === 'token' || format.bodyHash !== undefined) return true;
  return coversBody(payloadOf(format));
}

function faultsOfHandshakes({ handshakes = [], algorithm }: Format): OptionsProblem[] {
  return handshakes.flatMap((handshake, index): OptionsProblem[] => {
    const pointer = `/handshakes/${index}`;
    const problems: OptionsProblem[] = [];
    for (const place of Object.keys(handshake.when)) {
      const source = parseSource(place);
      if (source === undefined || source.kind === 'item') {
        const hint = 'For example header:x-acme-event or body:/type';
        problems.push({ pointer: `${pointer}/when`, message: `${place} is not a place in a request`, hint });
      } else if (source.kind === 'body' && !handshake.signed) {
        const message = `${place} is in the body, which is not read before the request is known to be signed`;
        problems.push({ pointer: `${pointer}/when`, message });
      }
    }
    if (repliesWithHmac(handshake) && !handshake.signed) {
      const message = 'an HMAC for anyone who asks is a signature for anyone';
      problems.push({ pointer, message, hint: 'Remove signed: false.' });
    }
    if (repliesWithHmac(handshake) && !algorithm.startsWith('hmac-')) {
      problems.push({ pointer, message: `there is no HMAC with algorithm ${algorithm}` });
    }
    if (handshake.text !== undefined && handshake.json !== undefined) {
      problems.push({ pointer, message: 'has both text and json', hint: 'An answer has one body.' });
    }
    return problems;
  });
}
