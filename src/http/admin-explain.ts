import type { FastifyInstance } from 'fastify';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { RequestOperations } from '../runtime/recording/request-operations.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { unknownParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';
import type { AskedRequest, Review } from './review.ts';

/** How large a question may be, in bytes: the body that it asks about is in it. */
const bodyLimit = 2 * 1024 * 1024;

export interface AdminExplainParts {
  readonly review: Review;
  readonly operations: Pick<RequestOperations, 'find'>;
  readonly recorder: Pick<Recorder, 'settled'>;
  readonly snapshot: () => Pick<Snapshot, 'config' | 'sources'>;
}

/** What the stages of the config that serves decide of a request, and why. Nothing is called or stored. */
export function registerExplain(
  app: FastifyInstance,
  { review, operations, recorder, snapshot }: AdminExplainParts,
): void {
  const json = 'application/json; charset=utf-8';
  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/requests/:id/explanation',
    async (request, reply) => {
      const unknown = unknownParameter(request.query, []);
      if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
      await recorder.settled();
      const recorded = await operations.find(request.params.id);
      if (recorded === undefined) {
        return sendProblem(reply, request.id, 'not_found', { detail: 'Recorded request not found.' });
      }
      return reply.type(json).send(await review.explain(snapshot(), recorded));
    },
  );
  const asking = { bodyLimit, config: { isQuestion: true, hasBody: true } };
  app.post('/explain', asking, async (request, reply) => {
    const asked = askedRequest(request.body);
    if (typeof asked === 'string') return sendProblem(reply, request.id, 'bad_request', { detail: asked });
    const { apiKeys } = snapshot().config;
    if (asked.caller !== undefined && !apiKeys.some(({ id }) => id === asked.caller)) {
      return sendProblem(reply, request.id, 'bad_request', { detail: `There is no API key ${asked.caller}.` });
    }
    return reply.type(json).send(await review.explain(snapshot(), asked));
  });
}

const known = ['project', 'trigger', 'body', 'text', 'headers', 'key'];

/** The request that is asked about, or what is wrong with the question. */
function askedRequest(question: unknown): AskedRequest | string {
  if (typeof question !== 'object' || question === null || Array.isArray(question)) return 'Send a JSON object.';
  const unknown = Object.keys(question).find((name) => !known.includes(name));
  if (unknown !== undefined) return `Unknown member ${JSON.stringify(unknown)}. Members are ${known.join(', ')}.`;
  const { project, trigger, body, text, headers = {}, key } = question as Record<string, unknown>;
  if (typeof project !== 'string' || typeof trigger !== 'string') return 'project and trigger must be strings.';
  if (body !== undefined && text !== undefined) return 'Give body or text, not both.';
  if (text !== undefined && typeof text !== 'string') return 'text must be a string.';
  if (key !== undefined && typeof key !== 'string') return 'key must be the id of an API key.';
  if (!isTexts(headers)) return 'headers must be an object of strings.';
  const bodyText = text ?? (body === undefined ? undefined : JSON.stringify(body));
  return { project, trigger, caller: key, headers, bodyText };
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && Object.values(value).every((text) => typeof text === 'string');
}
