import { hash } from 'node:crypto';

/** Who shares a session: the requests of one caller, or those of all callers of a trigger. */
export type SessionScope = 'caller' | 'trigger';

export interface SessionName {
  readonly project: string;
  /** The trigger's key as written in YAML. */
  readonly trigger: string;
  readonly caller: string;
  readonly sessionId: string | undefined;
}

/** The UUIDv5 of the URL `urn:pullcord:langgraph:thread`: shared sessions keep the threads that they have always had. */
const namespace = Buffer.from('fc901e919d965069bca5e495fd35921e', 'hex');

/**
 * Returns what identifies a session; undefined without a sessionId. It is stored, and agents keep conversations by it: the
 * same session must always have the same id. The names of both scopes differ in length, so that a session never becomes
 * one of the other scope.
 */
export function conversationId(
  { project, trigger, caller, sessionId }: SessionName,
  scope: SessionScope,
): string | undefined {
  if (sessionId === undefined) return undefined;
  const name = scope === 'trigger' ? [project, trigger, sessionId] : [project, trigger, sessionId, caller];
  return uuidV5(JSON.stringify(name), namespace);
}

/**
 * Returns a name-based UUID (RFC 9562 §5.5): SHA-1 over the namespace and the name, with version and variant set. To
 * enter the session of another caller takes a second preimage; collisions of SHA-1 do not help.
 */
export function uuidV5(name: string, namespaceId: Uint8Array): string {
  const bytes = hash('sha1', Buffer.concat([namespaceId, Buffer.from(name)]), 'buffer').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
