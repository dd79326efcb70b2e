import type { JsonObject, JsonValue, MaybePromise, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import {
  AgentFault,
  createMapping,
  createObjectMapping,
  exactInput,
  failed,
  instructionOf,
  type Mapped,
  prompt,
} from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/**
 * Returns the body of the request that creates a run. It answers the pending interrupts, if there are any. Rejects with an
 * AgentFault if an expression fails.
 */
export type RunRequestOf = (run: RunRequest, interrupts: readonly string[] | undefined) => Promise<JsonObject>;

type Part<Value> = (run: RunRequest, interrupts: readonly string[]) => MaybePromise<Value>;

export function createRunRequest(context: PluginContext, options: Options): RunRequestOf {
  const { assistant, input, resume, stream } = options;
  const inputOf = input === undefined ? defaultInput(context) : expression(context, 'input', input);
  const resumeOf = resume === undefined ? defaultResume : expression(context, 'resume', resume, ['interrupts']);
  const configOf = objectPart(context, 'config', options.config);
  const contextOf = objectPart(context, 'context', options.context);
  return async (run, interrupts) => {
    const { id, project, trigger, conversation } = run;
    return {
      assistant_id: assistant,
      ...(await configOf(run, [])),
      ...(await contextOf(run, [])),
      ...(interrupts === undefined
        ? { input: await inputOf(run, []) }
        : { command: { resume: await resumeOf(run, interrupts) } }),
      metadata: { pullcord_run: id, pullcord_project: project, pullcord_trigger: trigger },
      // The run outlives a lost connection and a restart of the gateway.
      on_disconnect: 'continue',
      // Another run on the thread ends first, e.g. one whose gateway has died.
      ...(conversation !== undefined && { if_not_exists: 'create', multitask_strategy: 'enqueue' }),
      ...(stream && { stream_mode: ['messages-tuple', 'values'] }),
    };
  };
}

/** The message has the run's id: where messages are merged by id, a repeated attempt replaces that of the one before. */
function defaultInput(context: PluginContext): Part<JsonValue> {
  const contentOf = prompt(context, { template: undefined, name: 'message' });
  return async (run) => ({ messages: [{ role: 'user', content: unwrapped(await contentOf(run)), id: run.id }] });
}

/** One answer does not fit several questions: to approve one thing must not approve another. */
function defaultResume(run: RunRequest, interrupts: readonly string[]): JsonValue {
  if (interrupts.length <= 1) return instructionOf(run) ?? exactInput(run);
  throw fault('the agent asked several questions at once, and no option resume says how they are answered');
}

/** Without an input the graph would continue where it stopped, which nobody asked for. */
function expression(context: PluginContext, option: string, source: string, bindings: string[] = []): Part<JsonValue> {
  const mapping = createMapping(context, `/${option}`, source, bindings);
  return async (run, interrupts) => {
    const mapped = await mapping.apply(run.input, run, bindings.length === 0 ? {} : { interrupts });
    const value = unwrapped(mapped) ?? null;
    if (value === null) throw fault(`the expression of ${option} returned nothing`);
    return value;
  };
}

/** The member of a request that an option sets: to an object, or to what an expression returns. */
function objectPart(context: PluginContext, option: string, value: Options['config' | 'context']): Part<JsonObject> {
  if (value === undefined) return () => ({});
  if (typeof value === 'object') return () => ({ [option]: value as JsonObject });
  const mapping = createObjectMapping(context, `/${option}`, value);
  return async (run) => ({ [option]: unwrapped(await mapping.apply(run.input, run)) });
}

function unwrapped<Value>(mapped: Mapped<Value>): Value {
  if (!mapped.ok) throw new AgentFault(mapped.failure);
  return mapped.value;
}

function fault(message: string): AgentFault {
  return new AgentFault(failed(message));
}
