import type { Exchange, JsonValue } from '../../contract/index.ts';
import { type FormField, urlencodedText } from '../body/form-body.ts';
import { parseLexically } from './lexical-json.ts';
import { type MaskedBody, type MaskOptions, maskBody } from './mask-body.ts';

/** A body to be recorded. */
export interface RecordedBody extends MaskedBody {
  /** Set if the text is of another type than the one that was sent. */
  readonly contentType?: string;
}

type SentBody = Pick<Exchange, 'bodyText' | 'bodyFormat' | 'bodyJson'>;

/** Replaces the values at pointers into the members of a body. Without a value there, the text stays as it was sent. */
export function maskSentBody(
  { bodyText, bodyFormat, bodyJson }: SentBody,
  pointers: readonly string[],
  options?: MaskOptions,
): RecordedBody {
  if (bodyJson === undefined) return maskBody(bodyText, pointers, options);
  const { text: json = '', masked } = maskBody(bodyJson, pointers, options);
  if (masked.length === 0) return { text: bodyText, masked };
  const members = parseLexically(json) as Readonly<Record<string, JsonValue>>;
  switch (bodyFormat) {
    case 'form':
      return { text: urlencodedText(fieldsOf(members)), masked, contentType: 'application/x-www-form-urlencoded' };
    case 'text':
      return { text: String(members.text), masked };
    default:
      return { text: JSON.stringify(members.items), masked };
  }
}

/** A member that is no string was sent as JSON. */
function fieldsOf(members: Readonly<Record<string, JsonValue>>): readonly FormField[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const isList = Array.isArray(member) && member.every((item) => typeof item === 'string');
    const values: readonly JsonValue[] = isList ? member : [member];
    return values.map((value): FormField => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  });
}
