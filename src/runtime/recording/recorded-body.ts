import type { Exchange, JsonObject } from '../../contract/index.ts';
import type { RecordedRequest } from '../../engine/types/index.ts';
import { type BodyType, bodyTypeOf, essenceOf, isJsonType } from '../body/media-type.ts';
import { parseTriggerBody } from '../body/trigger-body.ts';

/** A recorded body, read again. */
export interface ReadBody extends Pick<Exchange, 'bodyText' | 'bodyFormat' | 'bodyJson'> {
  readonly members: JsonObject;
}

type WithBody = Pick<RecordedRequest, 'headers' | 'bodyText'>;

const plainJson: BodyType = { kind: 'json' };

/**
 * Reads a recorded body by its media type, whatever the trigger accepts by now. Undefined if there is none, or if it cannot be
 * read so.
 * @param jsonFields names of the members of a form that hold JSON
 */
export function readRecordedBody(request: WithBody, jsonFields: readonly string[] = []): ReadBody | undefined {
  const { bodyText, headers } = request;
  if (bodyText === undefined) return undefined;
  const type = isRecordedJson(request) ? plainJson : bodyTypeOf(headers['content-type'], ['form', 'text']);
  if (type === undefined) return undefined;
  const body = parseTriggerBody(Buffer.from(bodyText), type, { fields: 'free', jsonFields });
  return body.kind === 'read'
    ? { bodyText: body.text, bodyFormat: body.format, bodyJson: body.json, members: body.members }
    : undefined;
}

/** Whether a recorded body is JSON: one that need not be has its media type beside it. */
export function isRecordedJson({ headers, bodyText = '' }: WithBody): boolean {
  const type = headers['content-type'];
  if (isJsonType(type)) return true;
  // Text may have been taken as JSON, and then is.
  return type !== undefined && essenceOf(type) === 'text/plain' && isJsonText(bodyText);
}

function isJsonText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
