import type { JsonObject, JsonValue, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createObjectMapping, createTemplate, type Mapped } from '../mapping.ts';
import { rememberedConversation } from './memory.ts';
import type { Options } from './options.gen.ts';

/** One request to an app, without where it goes. */
export interface Message {
  readonly body: JsonObject;
  readonly user: string;
  /** The conversation that it continues. */
  readonly conversationId: string | undefined;
}

/** Makes what makes a message of a run, as the options say. */
export function createMessages(
  context: PluginContext,
  options: Options,
): (run: RunRequest) => Promise<Mapped<Message>> {
  const userOf = textFrom(context, '/user', options.user, () => '');
  const inputsOf = inputsFrom(context, options);
  const queryOf = textFrom(context, '/query', options.query, ({ input }) => textOf(input.instruction));
  return async (run) => {
    const named = await userOf(run);
    if (!named.ok) return named;
    const user = named.value || (run.sessionId ?? `${run.project}/${run.trigger}`);
    const inputs = await inputsOf(run);
    if (!inputs.ok) return inputs;
    const common = { inputs: inputs.value, response_mode: 'streaming', user };
    if (options.app === 'workflow') {
      return { ok: true, value: { body: common, user, conversationId: undefined } };
    }
    const query = await queryOf(run);
    if (!query.ok) return query;
    if (query.value.trim() === '') return failed('there is nothing to ask: the query is empty');
    const conversationId = rememberedConversation(run.session?.memory);
    const body = {
      ...common,
      query: query.value,
      ...(conversationId !== undefined && { conversation_id: conversationId }),
    };
    return { ok: true, value: { body, user, conversationId } };
  };
}

type Mapper<Value> = (run: RunRequest) => Promise<Mapped<Value>>;

function textFrom(
  context: PluginContext,
  pointer: string,
  source: string | undefined,
  fallback: (run: RunRequest) => string,
): Mapper<string> {
  const template = source === undefined ? undefined : createTemplate(context, pointer, source);
  return async (run) => (await template?.apply(run.input, run)) ?? { ok: true, value: fallback(run) };
}

function inputsFrom(context: PluginContext, { app, inputs }: Options): Mapper<JsonObject> {
  if (inputs === undefined) return async ({ input }) => ({ ok: true, value: app === 'workflow' ? input : {} });
  const mapping = createObjectMapping(context, '/inputs', inputs);
  return async (run) => mapping.apply(run.input, run);
}

function textOf(instruction: JsonValue | undefined): string {
  if (instruction === undefined) return '';
  return typeof instruction === 'string' ? instruction : JSON.stringify(instruction);
}

function failed(message: string): Mapped<never> {
  return { ok: false, failure: { kind: 'failed', message, retryable: false } };
}
