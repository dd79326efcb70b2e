import type { JsonObject, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createTemplate, type Mapped } from '../mapping.ts';
import { failed } from './answer.ts';
import type { Options } from './options.gen.ts';

/** What the model is told in one turn. */
export interface Prompt {
  /** Empty: there is none. */
  readonly system: string;
  readonly user: string;
}

/** Makes what writes the prompts of runs. */
export function createPrompter(context: PluginContext, options: Options): (run: RunRequest) => Promise<Mapped<Prompt>> {
  const system = options.system === undefined ? undefined : createTemplate(context, '/system', options.system);
  const user = options.user === undefined ? undefined : createTemplate(context, '/user', options.user);
  return async (run) => {
    const written = await system?.apply(run.input, run);
    if (written?.ok === false) return written;
    const said = (await user?.apply(run.input, run)) ?? { ok: true, value: plainText(run.input) };
    if (!said.ok) return said;
    if (said.value.trim() === '') {
      return { ok: false, failure: failed('the request says nothing to the model', false) };
    }
    return { ok: true, value: { system: written?.value ?? '', user: said.value } };
  };
}

/** What the caller says. The gateway's own members are left out where the body as a whole is what is said. */
function plainText({ instruction, environment, language, sessionId, ...rest }: JsonObject): string {
  if (typeof instruction === 'string' && instruction.trim() !== '') return instruction;
  const said = typeof instruction === 'object' ? { instruction, ...rest } : rest;
  return Object.keys(said).length === 0 ? '' : JSON.stringify(said);
}
