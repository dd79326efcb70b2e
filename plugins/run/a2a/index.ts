import type { RunPlugin } from '../../../src/contract/index.ts';
import { legacySignal } from '../legacy-signal.ts';
import { createMapping, createTemplate } from '../mapping.ts';
import { checkOptions } from './check-options.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import type { TaskRuns } from './task-runs.ts';

/** How many connections there are for agent cards and cancellations, which are short. */
const connectionsAside = 2;

/**
 * Talks to an agent of Agent2Agent (https://a2a-protocol.org), 1.0 or 0.3 as its card says. The card is not read before
 * the first run: a gateway starts although an agent is down.
 */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'a2a',
  summary: 'Sends a message to an agent that speaks Agent2Agent, 1.0 or 0.3, and follows its task to the end.',
  optionsSchema: schema,
  create(context, options) {
    const { connections, maxResponse: maxResponseBytes } = options;
    const client = context.outbound({ connections, maxResponseBytes });
    const parts = {
      options,
      client,
      clientAside: context.outbound({ connections: connectionsAside, maxResponseBytes }),
      addresses: checkOptions(context, client, options),
      message: options.message === undefined ? undefined : createTemplate(context, '/message', options.message),
      output: options.output === undefined ? undefined : createMapping(context, '/output', options.output),
    };
    let loaded: Promise<TaskRuns> | undefined;
    const load = (): Promise<TaskRuns> => {
      // The SDK takes a while to load, which a gateway without such an agent should not.
      loaded ??= import('./task-runs.ts').then(({ TaskRuns }) => new TaskRuns(parts));
      return loaded;
    };
    return {
      execute: async (run, attempt) => (await load()).execute(run, legacySignal(attempt)),
      resume: async (run, handle, attempt) => (await load()).resume(run, handle, legacySignal(attempt)),
    };
  },
} satisfies RunPlugin<Options>;
