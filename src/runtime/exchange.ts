import { type Exchange, type Principal, type RequestHead, WorkBudget } from '../contract/index.ts';
import { inputOf, type TriggerBody } from './body/trigger-body.ts';
import type { LiveTrigger } from './snapshot.ts';

/** What the stages of a trigger see of a request. */
export function exchangeOf(head: RequestHead, trigger: LiveTrigger, caller: Principal, body: TriggerBody): Exchange {
  return {
    ...head,
    project: trigger.project,
    trigger: trigger.info,
    caller,
    bodyText: body.text,
    input: inputOf(body, trigger.project.language),
    work: new WorkBudget(trigger.workLimit),
  };
}
