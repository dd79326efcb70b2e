import { type Exchange, type Principal, type RequestHead, type SenderEvent, WorkBudget } from '../contract/index.ts';
import { inputOf, type TriggerBody } from './body/trigger-body.ts';
import { eventInfo } from './event-info.ts';
import type { LiveTrigger } from './snapshot.ts';

/** What the stages of a trigger see of a request. */
export function exchangeOf(
  head: RequestHead,
  trigger: LiveTrigger,
  caller: Principal,
  body: TriggerBody,
  event?: SenderEvent,
): Exchange {
  const { secretParameters } = trigger;
  const input = inputOf(body, trigger.project.language);
  return {
    ...head,
    query: secretParameters.size === 0 ? head.query : withoutParameters(head.query, secretParameters),
    project: trigger.project,
    trigger: trigger.info,
    caller,
    bodyText: body.text,
    input,
    event: event && eventInfo(event, input),
    work: new WorkBudget(trigger.workLimit),
  };
}

function withoutParameters(query: string, names: ReadonlySet<string>): string {
  const parameters = new URLSearchParams(query);
  for (const name of names) parameters.delete(name);
  return parameters.toString();
}
