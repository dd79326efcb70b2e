import type { MaybePromise, Reply } from '../../contract/index.ts';
import { boundBody, boundSession } from '../../runtime/bound-body.ts';
import { completeExchange, exchangeOf } from '../../runtime/exchange.ts';
import { type Answered, fire as firePipeline } from '../../runtime/pipeline.ts';
import { runTraceOf } from '../../runtime/tracing/tracer.ts';
import type { RefusedVerdict } from '../../runtime/verdict.ts';
import { isThenable } from '../../runtime/when-ready.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';

export function fire(call: Call): MaybePromise<Reply> {
  const { trigger, principal, event } = call.admission;
  const { token } = principal;
  const body = token === undefined ? call.body : boundBody(call.body, token, trigger.body.fields);
  if (body === undefined) return refuse(call, unbound, trigger);
  const fired = completeExchange(trigger, exchangeOf(call.head, trigger, principal, body, event));
  if ('code' in fired) return refuse(call, { ...fired, reason: '' }, trigger, fired.members);
  const exchange = token === undefined ? fired : boundSession(fired, token);
  if (exchange === undefined) return refuse(call, unbound, trigger);
  call.trigger = trigger;
  call.exchange = exchange;
  // Before it is fired, so that the ids of recordings are in the order of arrival.
  call.recordingId = call.services.recorder.choose(trigger);
  const { engine, log, expectations } = call.services;
  const answered = firePipeline(engine, trigger, exchange, {
    log,
    memory: call.memory,
    expectations,
    trace: runTraceOf(call.message.trace),
  });
  return isThenable(answered) ? answerLater(call, answered) : answer(call, answered);
}

const unbound: RefusedVerdict = { kind: 'refused', code: 'forbidden', reason: 'not what the token is bound to' };

async function answerLater(call: Call, answered: Promise<Answered>): Promise<Reply> {
  return answer(call, await answered);
}

function answer(call: Call, answered: Answered): Reply {
  call.verdict = answered;
  return answered.reply;
}
