import {
  type Exchange,
  type ForeignBody,
  type Principal,
  type RequestHead,
  type SenderEvent,
  WorkBudget,
} from '../contract/index.ts';
import { isLost } from './body/json-number.ts';
import { type InvalidBody, inputOf, invalidBody, type TriggerBody } from './body/trigger-body.ts';
import { eventInfo } from './event-info.ts';
import type { LiveTrigger } from './snapshot.ts';
import { withNotBefore } from './start-time.ts';

/** What the stages of a trigger see of a request. */
export function exchangeOf(
  head: RequestHead,
  trigger: LiveTrigger,
  caller: Principal,
  body: TriggerBody,
  event?: SenderEvent,
): Exchange {
  const { secretParameters } = trigger;
  const { fields } = trigger.body;
  const { lost } = body;
  const input = inputOf(body, fields, trigger.project.language);
  return {
    ...head,
    query: secretParameters.size === 0 ? head.query : withoutParameters(head.query, secretParameters),
    project: trigger.project,
    trigger: trigger.info,
    caller,
    bodyText: body.text,
    bodyFormat: body.format,
    bodyJson: body.json,
    foreign: fields === 'free' ? foreignBody(body) : undefined,
    input,
    hasLostDigits: lost && ((value) => lost.some((numbers) => isLost(value, numbers))),
    sessionId: fields === 'checked' && typeof input.sessionId === 'string' ? input.sessionId : undefined,
    event: event && eventInfo(event, input, exactTextOf(body)),
    work: new WorkBudget(trigger.workLimit),
  };
}

function withoutParameters(query: string, names: ReadonlySet<string>): string {
  const parameters = new URLSearchParams(query);
  for (const name of names) parameters.delete(name);
  return parameters.toString();
}

/** The request as its trigger reads its body further, or the refusal. */
export function completeExchange(trigger: LiveTrigger, exchange: Exchange): Exchange | InvalidBody {
  const checked = withNotBefore(trigger, exchange);
  return 'code' in checked ? checked : withSession(trigger, checked);
}

/** The request with the sessionId that `body.session` finds in it, or the refusal if that is none. */
function withSession(trigger: LiveTrigger, exchange: Exchange): Exchange | InvalidBody {
  const { session } = trigger.body;
  if (session === undefined) return exchange;
  const found = session(exchange);
  if (!found.ok) return invalidBody([{ pointer: '', message: found.message }], found.message);
  return { ...exchange, sessionId: found.sessionId };
}

function exactTextOf({ lost, json, text }: TriggerBody): string | undefined {
  return lost === undefined ? undefined : (json ?? text);
}

function foreignBody(body: TriggerBody): ForeignBody {
  const text = exactTextOf(body);
  return text === undefined ? exactBody : { fields: 'free', text };
}

const exactBody: ForeignBody = Object.freeze({ fields: 'free' });
