import type { MaybePromise, Reply } from '../../contract/index.ts';
import { exchangeOf } from '../../runtime/exchange.ts';
import { type Verdict as Fired, fire as firePipeline } from '../../runtime/pipeline.ts';
import type { Call } from '../call.ts';

export function fire(call: Call): MaybePromise<Reply> {
  const { trigger, principal } = call.admission;
  const exchange = exchangeOf(call.head, trigger, principal, call.body);
  call.trigger = trigger;
  call.exchange = exchange;
  // Before it is fired: ids of recordings are in the order of arrival.
  call.recordingId = call.services.recorder.choose(trigger);
  const fired = firePipeline(call.services.engine, call.snapshot, trigger, exchange);
  return fired instanceof Promise ? settle(call, fired) : conclude(call, fired);
}

async function settle(call: Call, fired: Promise<Fired>): Promise<Reply> {
  return conclude(call, await fired);
}

function conclude(call: Call, fired: Fired): Reply {
  call.verdict = fired;
  return fired.reply;
}
