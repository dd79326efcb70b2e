import type { JsonObject, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import {
  type Conversation,
  createObjectMapping,
  createTemplate,
  exactInput,
  idIn,
  type Mapped,
  prompt,
} from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** One request to an app. */
export interface Message {
  readonly body: JsonObject;
  readonly user: string;
  /** The conversation that it continues. */
  readonly conversationId: string | undefined;
}

/** Returns a function that writes the message of a run, as the options say. */
export function createMessages(
  context: PluginContext,
  { app, query: template, inputs, user }: Options,
  conversation: Conversation,
): (run: RunRequest) => Promise<Mapped<Message>> {
  const isWorkflow = app === 'workflow';
  const userTemplate = user === undefined ? undefined : createTemplate(context, '/user', user);
  const inputsMapping = inputs === undefined ? undefined : createObjectMapping(context, '/inputs', inputs);
  const queryOf = prompt(context, { template, pointer: '/query' });
  return async (run) => {
    const named = (await userTemplate?.apply(run.input, run)) ?? { ok: true, value: '' };
    if (!named.ok) return named;
    const user = named.value || (run.conversation ?? `${run.project}/${run.trigger}`);
    const given = (await inputsMapping?.apply(run.input, run)) ?? {
      ok: true,
      value: isWorkflow ? exactInput(run) : {},
    };
    if (!given.ok) return given;
    const common = { inputs: given.value, response_mode: 'streaming', user };
    if (isWorkflow) return { ok: true, value: { body: common, user, conversationId: undefined } };
    const query = await queryOf(run);
    if (!query.ok) return query;
    const conversationId = idIn(conversation.recall(run.session?.memory).conversationId);
    const continued = conversationId !== undefined && { conversation_id: conversationId };
    return { ok: true, value: { body: { ...common, query: query.value, ...continued }, user, conversationId } };
  };
}
