import type { PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createTemplate, type Mapped, prompt } from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** What the model is sent in one turn. */
export interface Prompt {
  /** Empty if there is none. */
  readonly system: string;
  readonly user: string;
}

/** Returns a function that writes the prompt of a run. */
export function createPrompter(context: PluginContext, options: Options): (run: RunRequest) => Promise<Mapped<Prompt>> {
  const system = options.system === undefined ? undefined : createTemplate(context, '/system', options.system);
  const user = prompt(context, { template: options.user, pointer: '/user', name: 'user message' });
  return async (run) => {
    const instructions = await system?.apply(run.input, run);
    if (instructions?.ok === false) return instructions;
    const message = await user(run);
    if (!message.ok) return message;
    return { ok: true, value: { system: instructions?.value ?? '', user: message.value } };
  };
}
