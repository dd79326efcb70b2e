import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { Conversation } from '../../../src/run-kit/index.ts';
import type { Answer } from './answer.ts';
import { textAt } from './member.ts';
import type { Options } from './options.gen.ts';

/** Remembers the ids of responses that an endpoint keeps. */
export class ResponseMemory {
  readonly #endpoint: Conversation;
  readonly #model: Conversation;

  constructor({ baseUrl, model }: Pick<Options, 'baseUrl' | 'model'>) {
    const url = new URL(baseUrl);
    this.#endpoint = new Conversation(url);
    // Behind one URL, each model may have an endpoint of its own.
    this.#model = new Conversation(url, model);
  }

  /** What the session remembers after a response; undefined: what it did before. */
  readonly after = ({ responseId, callsTool }: Answer): JsonObject | undefined => {
    // A conversation cannot continue after a call without a result.
    if (responseId === undefined || callsTool) return undefined;
    return this.#model.remember({ responseId });
  };

  /** The response that the conversation continues. */
  previousId(memory: JsonValue | undefined): string | undefined {
    return responseIdOf(this.#model.recall(memory), 'responseId');
  }

  /** The handle of a response in the background. */
  handleOf(responseId: string): JsonObject {
    return this.#endpoint.remember({ responseId });
  }

  /** The response of a handle; undefined if another endpoint works on it. */
  idIn(handle: JsonValue): string | undefined {
    return responseIdOf(this.#endpoint.recall(handle), 'responseId');
  }
}

/** Returns the id in a member; undefined if it cannot be one. */
export function responseIdOf(value: JsonValue | undefined, name: string): string | undefined {
  const id = textAt(value, name);
  return /^\w[\w+/=:.~-]{0,2047}$/.test(id) ? id : undefined;
}
