import type { JsonObject, JsonValue, MaybePromise, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { failed } from '../failed.ts';
import { createMapping, type Mapped } from '../mapping.ts';
import { objectOf } from './memory.ts';
import type { Options } from './options.gen.ts';

/** Makes the body of the request that creates a run, which answers interrupts where there are pending ones. */
export type RunRequestOf = (run: RunRequest, interrupts: readonly string[] | undefined) => Promise<Mapped<JsonObject>>;

type Part = (run: RunRequest, interrupts: readonly string[]) => MaybePromise<Mapped<JsonValue | undefined>>;

export function createRunRequest(context: PluginContext, options: Options): RunRequestOf {
  const { assistant, input, resume, config, context: staticContext, stream } = options;
  const inputOf = input === undefined ? defaultInput : required('input', mapped(context, '/input', input));
  const resumeOf = resume === undefined ? defaultResume : required('resume', mapped(context, '/resume', resume, true));
  const configOf = objectPart(context, 'config', config);
  const contextOf = objectPart(context, 'context', staticContext);
  return async (run, interrupts) => {
    const parts = { config: await configOf(run, []), context: await contextOf(run, []) };
    const said = await (interrupts === undefined ? inputOf(run, []) : resumeOf(run, interrupts));
    for (const part of [parts.config, parts.context, said]) if (!part.ok) return part;
    const { id, project, trigger, sessionId } = run;
    const value: JsonObject = {
      assistant_id: assistant,
      ...(interrupts === undefined ? { input: valueIn(said) } : { command: { resume: valueIn(said) } }),
      ...(config !== undefined && { config: valueIn(parts.config) }),
      ...(staticContext !== undefined && { context: valueIn(parts.context) }),
      metadata: { pullcord_run: id, pullcord_project: project, pullcord_trigger: trigger },
      // The run outlives a connection that is cut and a gateway that is restarted.
      on_disconnect: 'continue',
      // What still works on the thread, e.g. a run whose gateway has died, comes to its end first.
      ...(sessionId !== undefined && { if_not_exists: 'create', multitask_strategy: 'enqueue' }),
      ...(stream && { stream_mode: ['messages-tuple', 'values'] }),
    };
    return { ok: true, value };
  };
}

/** The id makes a repeated attempt replace the message of the one before, where messages are merged by id. */
function defaultInput({ id, input }: RunRequest): Mapped<JsonValue> {
  const { instruction } = input;
  const content = typeof instruction === 'string' ? instruction : JSON.stringify(input);
  return { ok: true, value: { messages: [{ role: 'user', content, id }] } };
}

/** One answer does not fit several questions: to approve one thing must not approve another. */
function defaultResume({ input }: RunRequest, interrupts: readonly string[]): Mapped<JsonValue> {
  if (interrupts.length <= 1) return { ok: true, value: input.instruction ?? input };
  const message = 'the agent asked several questions at once, and no option resume says how they are answered';
  return { ok: false, failure: failed(message) };
}

function mapped(context: PluginContext, pointer: string, source: string, isOfInterrupts = false): Part {
  const mapping = createMapping(context, pointer, source, isOfInterrupts ? ['interrupts'] : []);
  return (run, interrupts) => mapping.apply(run.input, run, isOfInterrupts ? { interrupts } : {});
}

/** Nothing as input would have the graph go on where it stopped, which is not what anybody meant. */
function required(option: string, part: Part): Part {
  return async (run, interrupts) => {
    const made = await part(run, interrupts);
    const isNothing = made.ok && (made.value === undefined || made.value === null);
    return isNothing ? { ok: false, failure: failed(`the expression of ${option} came to nothing`) } : made;
  };
}

function objectPart(context: PluginContext, option: string, value: string | object | undefined): Part {
  if (typeof value !== 'string') return () => ({ ok: true, value: value as JsonObject | undefined });
  const part = mapped(context, `/${option}`, value);
  return async (run) => {
    const made = await part(run, []);
    if (!made.ok || objectOf(made.value) === made.value) return made;
    return { ok: false, failure: failed(`the expression of ${option} did not come to an object`) };
  };
}

function valueIn(part: Mapped<JsonValue | undefined>): JsonValue {
  return part.ok ? (part.value ?? null) : null;
}
