/** How the text of a signature is written. */
export interface SignatureText {
  readonly prefix: string;
  readonly separator: string;
  readonly encoding: 'hex' | 'base64';
}

/** Senders offer two or three signatures while they rotate their secret. */
const mostItems = 16;

/** The items of a header with signatures; none if there are too many. */
export function itemsOf(field: string, separator: string): readonly string[] {
  const items = field.split(separator, mostItems + 1);
  return items.length > mostItems ? [] : items.map((item) => item.trim());
}

/** The signatures among some items. Those of a wrong form match nothing; the others count. */
export function signaturesIn(
  items: readonly string[],
  { prefix, encoding }: SignatureText,
  isLength: (bytes: number) => boolean,
): readonly Buffer[] {
  return items.flatMap((item) => {
    const bytes = item.startsWith(prefix) ? decode(item.slice(prefix.length), encoding) : undefined;
    return bytes !== undefined && isLength(bytes.length) ? [bytes] : [];
  });
}

/** Longer than the signature of any key that is in use, in characters. */
const longestSignature = 2048;

function decode(text: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  const digits = encoding === 'hex' ? text : text.replace(/={0,2}$/, '');
  const form = encoding === 'hex' ? /^(?:[0-9a-fA-F]{2})+$/ : /^[A-Za-z0-9+/_-]+$/;
  if (digits.length > longestSignature || !form.test(digits)) return undefined;
  const bytes = Buffer.from(digits, encoding);
  // A digit too many is dropped by the decoder.
  return encoding === 'base64' && Math.ceil((bytes.length * 4) / 3) !== digits.length ? undefined : bytes;
}

/** RFC 3339, with a fraction of any precision. */
const dateTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)$/;

/** Seconds since the epoch, milliseconds where there are thirteen digits, or a date and time; in milliseconds. */
export function parseTimestamp(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,13}$/.test(text)) return text.length === 13 ? Number(text) : Number(text) * 1000;
  const timestampMs = dateTime.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timestampMs) ? undefined : timestampMs;
}
