import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../contract/index.ts';
import { membersOf } from './members.ts';

/**
 * Binds what a session or a handle remembers to the agent that it is of: ids that one agent gave mean nothing to another,
 * which need not learn them either. What is stored is a digest of the address, whose path may be private.
 */
export class Conversation {
  readonly #agent: string;

  /** @param parts what identifies the agent: its URL, and what else distinguishes two agents at one URL, e.g. a model */
  constructor(...parts: readonly (URL | string | undefined)[]) {
    const places = parts.map((part) =>
      part instanceof URL ? part.origin + part.pathname + part.search : (part ?? null),
    );
    this.#agent = createHash('sha256').update(JSON.stringify(places)).digest('base64url').slice(0, 16);
  }

  /** Returns the members that were remembered of this agent: none if the value is of another agent or plugin. */
  recall(value: JsonValue | undefined): JsonObject {
    const { agent, ...members } = membersOf(value);
    return agent === this.#agent ? members : {};
  }

  /** Returns the value to remember, for `recall` of a later run or after a restart. */
  remember(members: JsonObject): JsonObject {
    return { agent: this.#agent, ...members };
  }
}
