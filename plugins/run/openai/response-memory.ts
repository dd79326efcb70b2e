import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { agentDigest } from '../agent-digest.ts';
import type { Answer } from './answer.ts';
import { memberOf, textAt } from './member.ts';
import type { Options } from './options.gen.ts';

/** A response that the endpoint works on in the background. */
export interface Handle {
  readonly responseId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/**
 * What is kept of responses that an endpoint keeps: their ids mean nothing to another one, which the trigger may have got
 * since, and which need not learn them.
 */
export class ResponseMemory {
  readonly #agent: string;
  readonly #model: string;

  constructor({ baseUrl, model }: Pick<Options, 'baseUrl' | 'model'>) {
    this.#agent = agentDigest(new URL(baseUrl));
    this.#model = model;
  }

  /** What a session is to remember after a response; undefined: what it did. */
  readonly after = ({ responseId, callsTool }: Answer): JsonObject | undefined => {
    // A conversation cannot go on from a call that has got no result.
    if (responseId === undefined || callsTool) return undefined;
    return { agent: this.#agent, model: this.#model, responseId };
  };

  /** The response that a conversation goes on from. Behind one address each model may have an endpoint of its own. */
  previousId(memory: JsonValue | undefined): string | undefined {
    return textAt(memory, 'model') === this.#model ? this.#ownId(memory) : undefined;
  }

  handleOf({ responseId, startedAt }: Handle): JsonObject {
    return { agent: this.#agent, responseId, startedAt };
  }

  readHandle(handle: JsonValue): Handle | undefined {
    const responseId = this.#ownId(handle);
    const startedAt = memberOf(handle, 'startedAt');
    return responseId === undefined || typeof startedAt !== 'number' ? undefined : { responseId, startedAt };
  }

  #ownId(kept: JsonValue | undefined): string | undefined {
    return textAt(kept, 'agent') === this.#agent ? responseIdOf(kept, 'responseId') : undefined;
  }
}

/** The id of that name; undefined if there is none that could be one. */
export function responseIdOf(value: unknown, name: string): string | undefined {
  const id = textAt(value, name);
  return /^\w[\w+/=:.~-]{0,2047}$/.test(id) ? id : undefined;
}
