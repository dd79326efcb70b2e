import { createHash } from 'node:crypto';
import type { RunRequest } from '../../../src/contract/index.ts';

/** The UUIDv5 of the URL `urn:pullcord:langgraph:thread`. With another one every conversation would begin anew. */
const namespace = 'fc901e91-9d96-5069-bca5-e495fd35921e';

/**
 * Returns the thread of a session; undefined without a sessionId. A session belongs to a project and trigger, so equal
 * sessionIds of two triggers have two threads.
 */
export function threadIdOf({ project, trigger, sessionId }: RunRequest): string | undefined {
  return sessionId === undefined ? undefined : uuidV5(JSON.stringify([project, trigger, sessionId]), namespace);
}

/** Returns a name-based UUID (RFC 9562 §5.5): SHA-1 over the namespace and the name, with version and variant set. */
export function uuidV5(name: string, namespaceId: string): string {
  const namespaceBytes = Buffer.from(namespaceId.replaceAll('-', ''), 'hex');
  const bytes = createHash('sha1').update(namespaceBytes).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
