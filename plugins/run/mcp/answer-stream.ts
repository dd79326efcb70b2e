import { OutboundError } from '../../../src/contract/index.ts';
import { AgentFault, type AgentResponse, EventStream, failed, isTransient, pause } from '../../../src/run-kit/index.ts';
import { Allowance } from './allowance.ts';
import { type Answer, isAnswerTo, messageIn, type Request, type ServerRequest } from './message.ts';

/** The pause before a stream is resumed: by default, and at least, whatever the server asks for. In milliseconds. */
const resumptionPause = { defaultMs: 1_000, shortestMs: 500 };

/** How often the stream of one request may be resumed, and how often in a row that may fail. */
const maxResumptions = 1_000;
const maxFailures = 2;

export interface StreamParts {
  readonly signal: AbortSignal;
  readonly reply: (request: ServerRequest) => void;
  /** Asks for what follows an event. */
  readonly resume: (lastEventId: string) => Promise<AgentResponse>;
}

/** Returns the answer to a request from its stream, which is resumed if it ends before. Rejects with an AgentFault. */
export async function answerInStream(
  request: Request,
  first: AgentResponse,
  { signal, reply, resume }: StreamParts,
): Promise<Answer> {
  const allowance = new Allowance();
  let response: AgentResponse | undefined = first;
  let lastEventId: string | undefined;
  let failures = 0;
  for (let resumptions = 0; resumptions < maxResumptions && failures <= maxFailures; resumptions += 1) {
    let pauseMs = resumptionPause.defaultMs;
    if (response !== undefined) {
      failures = 0;
      const events: EventStream = new EventStream(response);
      const answer = await unlessLost(answerIn(events, request, allowance, reply));
      if (answer !== undefined) return answer;
      lastEventId = events.resumption.lastEventId ?? lastEventId;
      pauseMs = Math.max(events.resumption.retryMs ?? pauseMs, resumptionPause.shortestMs);
    }
    if (lastEventId === undefined) break;
    await pause(pauseMs, signal);
    response = await unlessLost(resume(lastEventId).then(streamOf));
    if (response === undefined) failures += 1;
  }
  throw stopped();
}

/** Undefined if the stream ends without the answer. */
async function answerIn(
  events: EventStream,
  request: Request,
  allowance: Allowance,
  reply: StreamParts['reply'],
): Promise<Answer | undefined> {
  for await (const { name, data } of events) {
    allowance.take(1);
    const message = name === undefined || name === 'message' ? messageIn(data) : undefined;
    if (message?.kind === 'request') reply(message);
    if (!isAnswerTo(request, message)) continue;
    events.complete();
    return message;
  }
  return undefined;
}

/** Undefined if the stream may be resumed later. */
function streamOf(response: AgentResponse): AgentResponse | undefined {
  if (response.ok && response.mediaType === 'text/event-stream') return response;
  void response.discard();
  if (!isTransient(response.status)) throw stopped();
  return undefined;
}

/** Undefined if the connection is lost. */
function unlessLost<Value>(promised: Promise<Value>): Promise<Value | undefined> {
  return promised.catch((error: unknown) => {
    if (OutboundError.from(error)?.retryable !== true) throw error;
    return undefined;
  });
}

function stopped(): AgentFault {
  return new AgentFault(failed('the MCP server stopped answering before the end', true));
}
