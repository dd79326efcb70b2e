import type { ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Test } from 'tap';
import { listen } from './listen.ts';

/** A response of the API (https://platform.openai.com/docs/api-reference/responses/object), as far as tests look at it. */
export interface ModelResponse {
  readonly id: string;
  readonly status: 'completed' | 'failed' | 'in_progress' | 'cancelled' | 'queued' | 'incomplete';
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incomplete_details: { readonly reason: 'max_output_tokens' | 'content_filter' } | null;
  readonly output: readonly object[];
}

/** The body of a request for a response. */
interface Request {
  readonly input: string;
  readonly instructions?: string;
  readonly previous_response_id?: string;
  readonly background?: boolean;
}

/** An endpoint of the responses API that keeps conversations, as no mock on npm does. */
export interface ResponsesEndpoint {
  readonly baseUrl: string;
  /** The bodies of the requests for a response. */
  readonly created: readonly Request[];
  /** The ids of the responses that were polled, and of those that were cancelled. */
  readonly seen: readonly string[];
  readonly cancelled: readonly string[];
  /** Completes the responses in the background. */
  complete(changes?: Partial<ModelResponse>): void;
  /** Answers the next poll with this status. */
  failNextLook(status: number): void;
  forgetAll(): void;
}

export function modelResponse(changes: Partial<ModelResponse> = {}): ModelResponse {
  return {
    ...{ id: 'resp_1', object: 'response', created_at: 1, model: 'gpt-5-mini', status: 'completed' },
    ...{ error: null, incomplete_details: null, instructions: null, metadata: {} },
    ...{ output: [], parallel_tool_calls: true, temperature: 1, tool_choice: 'auto', tools: [], top_p: 1 },
    ...changes,
  };
}

export function messageItem(...parts: string[]): object {
  const content = parts.map((text) => ({ type: 'output_text', text, annotations: [] }));
  return { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content };
}

/** Serves until the test ends. An answer lists what the conversation has been about. */
export async function serveResponses(t: Test): Promise<ResponsesEndpoint> {
  const responses = new Map<string, ModelResponse>();
  const conversations = new Map<string, readonly string[]>();
  const log = { created: [] as Request[], seen: [] as string[], cancelled: [] as string[] };
  let nextLook: number | undefined;

  const create = (request: Request): ModelResponse | undefined => {
    log.created.push(request);
    const { previous_response_id: previousId, background = false } = request;
    const earlier = previousId ? conversations.get(previousId) : [];
    if (earlier === undefined) return undefined;
    const said = [...earlier, request.input];
    const id = `resp_${log.created.length}`;
    const response = modelResponse({
      id,
      status: background ? 'queued' : 'completed',
      output: background ? [] : [messageItem(`heard: ${said.join(', ')}`)],
    });
    conversations.set(id, said);
    responses.set(id, response);
    return response;
  };

  const origin = await listen(t, async (request, response) => {
    const [, id = '', action] = /^\/v1\/responses(?:\/([^/]+))?(?:\/(cancel))?$/.exec(request.url ?? '') ?? [];
    if (request.method === 'POST' && id === '') {
      const made = create((await json(request)) as Request);
      const gone = { message: 'Previous response not found.', code: 'previous_response_not_found' };
      return made === undefined ? answer(response, 400, { error: gone }) : answer(response, 200, made);
    }
    const known = responses.get(id);
    if (known === undefined) return answer(response, 404, { error: { message: `${id} not found`, code: null } });
    if (action === 'cancel') {
      log.cancelled.push(id);
      return answer(response, 200, { ...known, status: 'cancelled' });
    }
    log.seen.push(id);
    const status = nextLook ?? 200;
    nextLook = undefined;
    answer(response, status, status === 200 ? known : { error: { message: 'busy' } });
  });
  return {
    baseUrl: `${origin}/v1`,
    ...log,
    complete(changes = { status: 'completed', output: [messageItem('done')] }) {
      for (const [id, response] of responses) responses.set(id, { ...response, ...changes });
    },
    failNextLook(status) {
      nextLook = status;
    },
    forgetAll: () => conversations.clear(),
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
