import type { JsonObject, TriggerInput } from '../../contract/index.ts';
import { checkTriggerBody } from './check-members.ts';
import { type HasRoom, readJsonBody } from './json-body.ts';

/** The body of a request to fire a trigger: a JSON object, or nothing. */
export interface TriggerBody {
  readonly kind: 'read';
  readonly text: string | undefined;
  readonly members: JsonObject;
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
export const noBody: TriggerBody = { kind: 'read', text: undefined, members: {} };

/** Reads what was sent as JSON, and checks the members that the gateway knows. Never throws. */
export function parseTriggerBody(bytes: Buffer): TriggerBody | InvalidBody;
export function parseTriggerBody(bytes: Buffer, hasRoom: HasRoom): TriggerBody | InvalidBody | NoRoom;
export function parseTriggerBody(bytes: Buffer, hasRoom?: HasRoom): TriggerBody | InvalidBody | NoRoom {
  const body = readJsonBody(bytes, hasRoom);
  if (body === 'no_room') return { kind: 'no_room' };
  if (!body.ok) return invalid([{ pointer: body.pointer ?? '', message: body.detail }], body.detail);
  const faults = checkTriggerBody(body.value);
  if (faults.length > 0) return invalid(faults, 'The body has members of a wrong type.');
  return { kind: 'read', text: body.text, members: body.value };
}

/** What filters and the agent see: the caller's members, and the defaults of those that it left out. */
export function inputOf(body: TriggerBody, language: string): TriggerInput {
  // The type of both members was checked against schemas/source/trigger-body.schema.json.
  return { environment: 'api', language, ...body.members } as TriggerInput;
}

function invalid(errors: readonly { pointer: string; message: string }[], detail: string): InvalidBody {
  return { kind: 'refused', code: 'invalid_body', members: { detail, errors: errors.map((error) => ({ ...error })) } };
}
