import type { JsonObject, JsonValue, MaybePromise, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createMapping, createObjectMapping, failed, type Mapped, prompt } from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** Returns the body of the request that creates a run. It answers the pending interrupts, if there are any. */
export type RunRequestOf = (run: RunRequest, interrupts: readonly string[] | undefined) => Promise<Mapped<JsonObject>>;

type Part = (run: RunRequest, interrupts: readonly string[]) => MaybePromise<Mapped<JsonValue>>;

export function createRunRequest(context: PluginContext, options: Options): RunRequestOf {
  const { assistant, input, resume, stream } = options;
  const inputOf = input === undefined ? defaultInput(context) : expression(context, 'input', input);
  const resumeOf = resume === undefined ? defaultResume : expression(context, 'resume', resume, ['interrupts']);
  const configOf = objectPart(context, 'config', options.config);
  const contextOf = objectPart(context, 'context', options.context);
  return async (run, interrupts) => {
    const config = await configOf(run);
    if (!config.ok) return config;
    const staticContext = await contextOf(run);
    if (!staticContext.ok) return staticContext;
    const said = await (interrupts === undefined ? inputOf(run, []) : resumeOf(run, interrupts));
    if (!said.ok) return said;
    const { id, project, trigger, sessionId } = run;
    const value: JsonObject = {
      assistant_id: assistant,
      ...(interrupts === undefined ? { input: said.value } : { command: { resume: said.value } }),
      ...config.value,
      ...staticContext.value,
      metadata: { pullcord_run: id, pullcord_project: project, pullcord_trigger: trigger },
      // The run outlives a lost connection and a restart of the gateway.
      on_disconnect: 'continue',
      // Another run on the thread ends first, e.g. one whose gateway has died.
      ...(sessionId !== undefined && { if_not_exists: 'create', multitask_strategy: 'enqueue' }),
      ...(stream && { stream_mode: ['messages-tuple', 'values'] }),
    };
    return { ok: true, value };
  };
}

/** The message has the run's id: where messages are merged by id, a repeated attempt replaces that of the one before. */
function defaultInput(context: PluginContext): Part {
  const contentOf = prompt(context, { template: undefined, name: 'message' });
  return async (run) => {
    const content = await contentOf(run);
    return content.ok
      ? { ok: true, value: { messages: [{ role: 'user', content: content.value, id: run.id }] } }
      : content;
  };
}

/** One answer does not fit several questions: to approve one thing must not approve another. */
function defaultResume({ input }: RunRequest, interrupts: readonly string[]): Mapped<JsonValue> {
  if (interrupts.length <= 1) return { ok: true, value: input.instruction ?? input };
  return refused('the agent asked several questions at once, and no option resume says how they are answered');
}

/** Without an input the graph would continue where it stopped, which nobody asked for. */
function expression(context: PluginContext, option: string, source: string, bindings: readonly string[] = []): Part {
  const mapping = createMapping(context, `/${option}`, source, bindings);
  return async (run, interrupts) => {
    const made = await mapping.apply(run.input, run, bindings.length === 0 ? {} : { interrupts });
    if (!made.ok) return made;
    const { value = null } = made;
    return value === null ? refused(`the expression of ${option} returned nothing`) : { ok: true, value };
  };
}

/** The member of a request that an option sets: to an object, or to what an expression returns. */
function objectPart(context: PluginContext, option: 'config' | 'context', value: string | object | undefined) {
  if (typeof value !== 'string') {
    const member: JsonObject = value === undefined ? {} : { [option]: value as JsonObject };
    return (): Mapped<JsonObject> => ({ ok: true, value: member });
  }
  const mapping = createObjectMapping(context, `/${option}`, value);
  return async (run: RunRequest): Promise<Mapped<JsonObject>> => {
    const made = await mapping.apply(run.input, run);
    return made.ok ? { ok: true, value: { [option]: made.value } } : made;
  };
}

function refused(message: string): Mapped<never> {
  return { ok: false, failure: failed(message) };
}
