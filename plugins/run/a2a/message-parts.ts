import type { JsonObject, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createTemplate, exactInput, instructionOf, type Mapped } from '../../../src/run-kit/index.ts';
import { textIn } from './content.ts';
import type { Options } from './options.gen.ts';

/**
 * Returns a function that makes the parts of the message for a run: the text of the template, or else an `instruction` that
 * is a string or the name of the event, and the body as data if that is wanted, or if there is no text. Throws an OptionsError.
 */
export function createMessageParts(
  context: PluginContext,
  { message, data }: Options,
): (run: RunRequest) => Promise<Mapped<JsonObject[]>> {
  const template = message === undefined ? undefined : createTemplate(context, '/message', message);
  return async (run) => {
    const written = (await template?.apply(run.input, run)) ?? { ok: true as const, value: instructionOf(run) ?? '' };
    if (!written.ok) return written;
    const text = textIn(written.value);
    const { name } = run.origin?.event ?? {};
    const said = text === '' && name !== undefined ? `Event: ${name}` : text;
    const parts = said === '' ? [] : [{ text: said }];
    return { ok: true, value: data || text === '' ? [...parts, { data: exactInput(run) }] : parts };
  };
}
