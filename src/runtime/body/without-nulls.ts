import schema from '../../../schemas/source/trigger-body.schema.json' with { type: 'json' };
import type { JsonObject, JsonValue } from '../../contract/index.ts';

/** What the schema says of an object: the members that it knows, or that all of them have a type. */
interface KnownMembers {
  readonly [keyword: string]: unknown;
}

/**
 * The members of a body, without those that the gateway knows and that are null: a sender that writes null for what it does
 * not have means the same as one that leaves it out. Null of any other member is its sender's, and stays.
 * @param json the members as JSON text, which shows at once that most have no null
 */
export function withoutNulls(members: JsonObject, json: string): JsonObject {
  return json.includes('null') ? pruned(members, schema) : members;
}

function pruned(members: JsonObject, { properties, additionalProperties }: KnownMembers): JsonObject {
  const known: KnownMembers = Object(properties);
  let copy: Record<string, JsonValue> | undefined;
  const names = typeof additionalProperties === 'object' ? Object.keys(members) : Object.keys(known);
  for (const name of names) {
    if (!Object.hasOwn(members, name)) continue;
    const value = members[name] ?? null;
    if (value === null) {
      copy ??= { ...members };
      delete copy[name];
      continue;
    }
    const below: unknown = known[name];
    if (typeof value !== 'object' || Array.isArray(value) || typeof below !== 'object' || below === null) continue;
    const after = pruned(value as JsonObject, below as KnownMembers);
    if (after === value) continue;
    copy ??= { ...members };
    copy[name] = after;
  }
  return copy ?? members;
}
