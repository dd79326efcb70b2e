import type { OptionsProblem } from '../../../src/contract/index.ts';
import { decodeSignature, parseTimestamp, type Scheme } from './scheme.ts';

/** One HMAC in one header, and optionally a timestamp in another. */
export interface HmacForm {
  readonly header: string;
  readonly algorithm: string;
  readonly encoding: 'hex' | 'base64';
  readonly prefix: string;
  readonly timestampHeader?: string;
  readonly payload?: string;
}

export function hmacScheme(form: HmacForm): Scheme {
  const { algorithm, encoding, prefix } = form;
  const [before = '', after = ''] = payloadOf(form).split('{body}');
  const timestampHeader = form.timestampHeader?.toLowerCase();
  return {
    header: form.header.toLowerCase(),
    algorithm,
    keyOf: (secret) => Buffer.from(secret),
    read(field, headers) {
      const signature = field.startsWith(prefix)
        ? decodeSignature(field.slice(prefix.length), encoding, algorithm)
        : undefined;
      if (signature === undefined) return undefined;
      if (timestampHeader === undefined) return { signatures: [signature], timestampMs: undefined, before, after };
      const timestamp = headers[timestampHeader];
      const timestampMs = parseTimestamp(timestamp);
      if (timestampMs === undefined) return undefined;
      const filled = (text: string) => text.replaceAll('{timestamp}', String(timestamp));
      return { signatures: [signature], timestampMs, before: filled(before), after: filled(after) };
    },
  };
}

function payloadOf({ payload, timestampHeader }: HmacForm): string {
  return payload ?? (timestampHeader === undefined ? '{body}' : '{timestamp}.{body}');
}

/** The faults that make a form insecure or contradictory. */
export function faultsOfForm(form: HmacForm): readonly OptionsProblem[] {
  const message = faultOfPayload(payloadOf(form), form.timestampHeader !== undefined);
  return message === undefined ? [] : [{ pointer: '/hmac/payload', message, hint: 'For example {timestamp}.{body}' }];
}

function faultOfPayload(payload: string, hasTime: boolean): string | undefined {
  if (payload.split('{body}').length !== 2) return 'must hold {body} once';
  const signsTime = payload.includes('{timestamp}');
  if (hasTime && !signsTime) return 'must hold {timestamp}: a time that is not signed can be changed by anyone';
  return signsTime && !hasTime ? 'holds {timestamp}, and there is no timestampHeader' : undefined;
}
