import { v5 } from 'uuid';
import type { RunRequest } from '../../../src/contract/index.ts';

/** The UUIDv5 of the URL `urn:pullcord:langgraph:thread`. With another one every conversation would begin anew. */
const namespace = 'fc901e91-9d96-5069-bca5-e495fd35921e';

/**
 * The thread of a session. A session is one of a project and trigger, so equal sessionIds of two triggers never meet;
 * undefined without a sessionId.
 */
export function threadIdOf({ project, trigger, sessionId }: RunRequest): string | undefined {
  return sessionId === undefined ? undefined : v5(JSON.stringify([project, trigger, sessionId]), namespace);
}
