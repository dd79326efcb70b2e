import type { PluginContext, RunPlugin } from '../../../src/contract/index.ts';
import { AgentClient, createConclusion } from '../../../src/run-kit/index.ts';
import type { Clients } from './agent.ts';
import { type Addresses, checkOptions } from './check-options.ts';
import { createMessageParts } from './message-parts.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import type { TaskRuns } from './task-runs.ts';

/**
 * Calls an agent by Agent2Agent (https://a2a-protocol.org), 1.0 or 0.3 as its card says. The card is first read by the first
 * run, so that a gateway starts while an agent is down.
 */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'a2a',
  summary: 'Sends a message to an agent that speaks Agent2Agent, 1.0 or 0.3, and follows its task to the end.',
  optionsSchema: schema,
  create(context, options) {
    const addresses = checkOptions(options);
    const parts = {
      options,
      addresses,
      clients: createClients(context, options, addresses),
      partsOf: createMessageParts(context, options),
      conclude: createConclusion(context, options.output),
    };
    let loaded: Promise<TaskRuns> | undefined;
    const load = (): Promise<TaskRuns> => {
      // The SDK takes a while to load, which a gateway should not wait for at its start.
      loaded ??= import('./task-runs.ts').then(({ TaskRuns }) => new TaskRuns(parts));
      return loaded;
    };
    return {
      timeoutMs: options.timeout,
      execute: async (run, attempt) => (await load()).execute(run, attempt),
      resume: async (run, handle, attempt) => (await load()).resume(run, handle, attempt),
    };
  },
} satisfies RunPlugin<Options>;

/** How many agent cards may be read at once. */
const cardConnections = 2;

function createClients(context: PluginContext, options: Options, { card, endpoint }: Addresses): Clients {
  const cards = new AgentClient(context, { ...options, url: card.href, connections: cardConnections });
  // Without an endpoint it would report the same address again.
  const agent =
    endpoint === undefined
      ? new AgentClient({ ...context, report() {} }, options)
      : new AgentClient(context, { ...options, url: endpoint.href, pointer: '/endpoint' });
  return { agent, cards };
}
