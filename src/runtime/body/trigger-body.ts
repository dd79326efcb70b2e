import type { BodyKind } from '../../config/model.ts';
import type { JsonObject, TriggerInput } from '../../contract/index.ts';
import { type BodyRules, bodyFormats, type Members } from './body-formats.ts';
import { checkTriggerBody } from './check-members.ts';
import type { HasRoom } from './json-body.ts';
import type { LostNumbers } from './json-number.ts';
import type { BodyType } from './media-type.ts';
import { withoutNulls } from './without-nulls.ts';

/** The body of a request to fire a trigger: its members, or nothing. */
export interface TriggerBody {
  readonly kind: 'read';
  readonly format: BodyKind;
  /** The body as sent, without its content coding and a byte order mark. */
  readonly text: string | undefined;
  /** The members as JSON text, with all digits of their numbers, where `text` is not that. */
  readonly json?: string | undefined;
  readonly members: JsonObject;
  /** The numbers among them that are not those that were sent; absent: there are none. */
  readonly lost?: readonly LostNumbers[];
}

export interface InvalidBody {
  readonly kind: 'refused';
  readonly code: 'invalid_body';
  /** What the reply says: where something is wrong, never a value. */
  readonly members: JsonObject;
}

/** There is no memory for the body now. */
export interface NoRoom {
  readonly kind: 'no_room';
}

/** No body is as good as an empty object, but takes no part in dedup. */
export const noBody: TriggerBody = { kind: 'read', format: 'json', text: undefined, members: {} };

const plainJson: BodyType = { kind: 'json' };
const checkedRules: BodyRules = { fields: 'checked', jsonFields: [] };

/** Reads what was sent as the trigger reads bodies, and checks the members that the gateway knows. Never throws. */
export function parseTriggerBody(bytes: Buffer, type?: BodyType, rules?: BodyRules): TriggerBody | InvalidBody;
export function parseTriggerBody(
  bytes: Buffer,
  type: BodyType,
  rules: BodyRules,
  hasRoom: HasRoom,
): TriggerBody | InvalidBody | NoRoom;
export function parseTriggerBody(
  bytes: Buffer,
  type: BodyType = plainJson,
  rules: BodyRules = checkedRules,
  hasRoom?: HasRoom,
): TriggerBody | InvalidBody | NoRoom {
  const body = bodyFormats[type.kind](bytes, type, rules, hasRoom);
  if (body.kind === 'no_room') return body;
  if (body.kind === 'invalid') {
    return invalidBody([{ pointer: body.pointer ?? '', message: body.detail }], body.detail);
  }
  return rules.fields === 'free' ? bodyOf(type.kind, body, body.value) : checked(type.kind, body);
}

function checked(format: BodyKind, body: ReadMembers): TriggerBody | InvalidBody {
  const members = withoutNulls(body.value, body.json ?? body.text);
  const faults = checkTriggerBody(members);
  if (faults.length > 0) return invalidBody(faults, 'The body has members of a wrong type.');
  return bodyOf(format, body, members);
}

type ReadMembers = Extract<Members, { kind: 'members' }>;

function bodyOf(format: BodyKind, { text, json, lost }: ReadMembers, members: JsonObject): TriggerBody {
  return { kind: 'read', format, text, json, members, ...(lost.length > 0 && { lost }) };
}

/**
 * What filters and the agent see: the members of a sender's own as they are; else the caller's, and the defaults of those that
 * it left out.
 */
export function inputOf({ members }: TriggerBody, fields: 'checked' | 'free', language: string): TriggerInput {
  // The type of both members was checked against schemas/source/trigger-body.schema.json.
  return fields === 'free' ? members : { environment: 'api', language, ...members };
}

export function invalidBody(
  errors: readonly { readonly pointer: string; readonly message: string }[],
  detail: string,
): InvalidBody {
  return { kind: 'refused', code: 'invalid_body', members: { detail, errors: errors.map((error) => ({ ...error })) } };
}
