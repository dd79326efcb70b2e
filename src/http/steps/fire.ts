import type { MaybePromise, Reply } from '../../contract/index.ts';
import { exchangeOf, withSession } from '../../runtime/exchange.ts';
import { type Answered, fire as firePipeline } from '../../runtime/pipeline.ts';
import { isThenable } from '../../runtime/when-ready.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';

export function fire(call: Call): MaybePromise<Reply> {
  const { trigger, principal, event } = call.admission;
  const exchange = withSession(trigger, exchangeOf(call.head, trigger, principal, call.body, event));
  if ('code' in exchange) return refuse(call, { ...exchange, reason: '' }, trigger, exchange.members);
  call.trigger = trigger;
  call.exchange = exchange;
  // Before it is fired, so that the ids of recordings are in the order of arrival.
  call.recordingId = call.services.recorder.choose(trigger);
  const answered = firePipeline(call.services.engine, trigger, exchange, call.services.log, call.memory);
  return isThenable(answered) ? answerLater(call, answered) : answer(call, answered);
}

async function answerLater(call: Call, answered: Promise<Answered>): Promise<Reply> {
  return answer(call, await answered);
}

function answer(call: Call, answered: Answered): Reply {
  call.verdict = answered;
  return answered.reply;
}
