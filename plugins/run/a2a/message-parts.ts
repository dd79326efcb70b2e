import type { PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createTemplate, type Mapped } from '../../../src/run-kit/index.ts';
import type { RequestPart } from './dialect.ts';
import type { Options } from './options.gen.ts';

/**
 * Returns a function that makes the parts of the message for a run: the text of the template, or else an `instruction` that
 * is a string, and the body as data if that is wanted, or if there is no text. Throws an OptionsError.
 */
export function createMessageParts(
  context: PluginContext,
  { message, data }: Options,
): (run: RunRequest) => Promise<Mapped<readonly RequestPart[]>> {
  const template = message === undefined ? undefined : createTemplate(context, '/message', message);
  return async (run) => {
    const { instruction } = run.input;
    const written = (await template?.apply(run.input, run)) ?? { ok: true as const, value: instruction };
    if (!written.ok) return written;
    const text = typeof written.value === 'string' ? written.value : '';
    const parts: readonly RequestPart[] = text === '' ? [] : [{ text }];
    return { ok: true, value: data || text === '' ? [...parts, { data: run.input }] : parts };
  };
}
