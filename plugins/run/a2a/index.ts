import type { RunPlugin } from '../../../src/contract/index.ts';
import {
  AgentClient,
  Conversation,
  createConclusion,
  createUsageReader,
  failed,
  settle,
} from '../../../src/run-kit/index.ts';
import { Agent } from './agent.ts';
import { checkOptions } from './check-options.ts';
import { textIn } from './content.ts';
import { Exchange, type Service } from './exchange.ts';
import { createMessageParts } from './message-parts.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

/** How many agent cards may be read at once. */
const cardConnections = 2;

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
    const { card, endpoint } = addresses;
    const cards = new AgentClient(context, { ...options, url: card.href, connections: cardConnections });
    const client =
      endpoint === undefined
        ? // It would report the same address again.
          new AgentClient({ ...context, report() {} }, options)
        : new AgentClient(context, { ...options, url: endpoint.href, pointer: '/endpoint' });
    const { output, stream: isStreamed } = options;
    // Only an expression may read what was said before.
    const history = output === undefined ? { historyLength: 0 } : {};
    const conversation = new Conversation(card, endpoint);
    const usage = createUsageReader(context, options.usage);
    const service: Service = {
      agent: new Agent({ client, cards, addresses, isStreamed, history }),
      conversation,
      conclude: createConclusion(context, output, [], usage),
      usage,
      isPublished: isStreamed && output === undefined,
    };
    const partsOf = createMessageParts(context, options);
    return {
      timeoutMs: options.timeout,
      reportsUsage: usage !== undefined,
      async execute(run, host) {
        const parts = await partsOf(run);
        if (!parts.ok) return parts.failure;
        const thread = conversation.recall(run.session?.memory);
        return settle(host, (attempt) => new Exchange(service, run, attempt, thread).begin(parts.value));
      },
      resume(run, handle, host) {
        const thread = conversation.recall(handle);
        const taskId = textIn(thread.taskId);
        if (taskId === '') return failed('the task was begun by another agent, and cannot be resumed');
        return settle(
          host,
          (attempt) => new Exchange(service, run, attempt, thread).resume(),
          () => service.agent.cancelTask(taskId, run.id),
        );
      },
    };
  },
} satisfies RunPlugin<Options>;
