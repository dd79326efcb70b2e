import type { PluginContext, RunRequest } from '../contract/index.ts';
import { failed } from './failures.ts';
import { instructionOf, sentMembers } from './input.ts';
import { createTemplate, type Mapped } from './mapping.ts';

export interface PromptOptions {
  /** The template of the options; undefined: the default prompt. */
  readonly template: string | undefined;
  /** JSON pointer (RFC 6901) of the template; `/prompt` by default. */
  readonly pointer?: string;
  /** What messages call it; by default the name of the option. */
  readonly name?: string;
}

/**
 * Returns a function that writes what an agent is asked. By default that is the `instruction`: as it is if it is a string,
 * else as JSON; without one, the body as JSON, without `environment`, `language` and `sessionId`, which are the gateway's,
 * after the name of the event if a webhook reports one. No member of a foreign sender's body is an instruction.
 * An empty prompt is a failure. Throws an OptionsError if the template does not parse.
 */
export function prompt(
  context: PluginContext,
  { template: source, pointer = '/prompt', name = pointer.slice(1) }: PromptOptions,
): (run: RunRequest) => Promise<Mapped<string>> {
  const template = source === undefined ? undefined : createTemplate(context, pointer, source);
  return async (run) => {
    const written = (await template?.apply(run.input, run)) ?? {
      ok: true,
      value: defaultPrompt(run),
    };
    if (!written.ok || written.value.trim() !== '') return written;
    return { ok: false, failure: failed(`there is nothing to ask: the ${name} is empty`) };
  };
}

function defaultPrompt(run: RunRequest): string {
  const event = run.origin?.event.name;
  const instruction = instructionOf(run);
  if (typeof instruction === 'string') return instruction;
  if (instruction !== undefined && instruction !== null) return JSON.stringify(instruction);
  const members = sentMembers(run);
  const body = Object.keys(members).length === 0 ? [] : [JSON.stringify(members)];
  return [...(event === undefined ? [] : [`Event: ${event}`]), ...body].join('\n\n');
}
