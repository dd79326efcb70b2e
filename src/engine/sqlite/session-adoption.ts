import type { DatabaseSync } from 'node:sqlite';
import { conversationId } from '../types/index.ts';

/**
 * Gives the sessions that an earlier version kept to their owners: each to the caller of the last run that was started in
 * it. One whose runs are no longer kept has no owner, and nobody can continue it. `sessions` is not read apart from this,
 * and its rows expire. Part of a migration: once released it is never changed.
 */
export const sessionAdoption = `
  INSERT INTO conversations
    SELECT conversation_id(project, trigger_key, principal, session_id), memory, until FROM sessions JOIN (
      SELECT project, trigger_key, session_id, principal, row_number() OVER (
        PARTITION BY project, trigger_key, session_id ORDER BY accepted_at DESC, id DESC
      ) AS place FROM runs WHERE session_id IS NOT NULL AND attempt > 0
    ) USING (project, trigger_key, session_id) WHERE place = 1;
  UPDATE runs SET conversation = conversation_id(project, trigger_key, principal, session_id)
    WHERE finished_at IS NULL AND session_id IS NOT NULL;
`;

/** Defines the function that the statements above call. */
export function defineConversationId(database: DatabaseSync): void {
  database.function('conversation_id', (project: unknown, trigger: unknown, caller: unknown, sessionId: unknown) => {
    const name = { project: String(project), trigger: String(trigger), caller: String(caller) };
    return conversationId({ ...name, sessionId: String(sessionId) }, 'caller') ?? null;
  });
}
