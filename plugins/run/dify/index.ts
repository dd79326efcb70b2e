import { OptionsError, type RunPlugin } from '../../../src/contract/index.ts';
import { AgentClient, attempt, Conversation, createConclusion, optionProblems } from '../../../src/run-kit/index.ts';
import { exchange, type Service } from './exchange.ts';
import { createMessages } from './message.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

/**
 * Calls an app of Dify (https://docs.dify.ai/en/api-reference/guides/streaming). Always as a stream: agent apps refuse
 * `blocking`, and proxies cut connections that are silent for long.
 */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'dify',
  summary: 'Asks a chatbot, an agent or a chatflow of Dify, or runs a workflow, and streams what it answers.',
  optionsSchema: schema,
  create(context, options) {
    const { apiKey, app, output, timeout: timeoutMs } = options;
    const problems = optionProblems({ bases: { '/url': options.url }, secrets: { '/apiKey': apiKey } });
    if (app === 'workflow' && options.query !== undefined) {
      const hint = 'Give it as one of its inputs, e.g. inputs: "{ \'query\': instruction }".';
      problems.push({ pointer: '/query', message: 'means nothing to a workflow', hint });
    }
    if (problems.length > 0) throw new OptionsError(problems);
    const accept = 'text/event-stream, application/json;q=0.9';
    const agent = new AgentClient(context, { ...options, headers: { authorization: `Bearer ${apiKey}`, accept } });
    // The key names the app.
    const conversation = new Conversation(agent.url, apiKey);
    const messageOf = createMessages(context, options, conversation);
    const conclude = createConclusion(context, output);
    const service: Service = { agent, app, isMapped: output !== undefined, conversation, conclude };
    return {
      timeoutMs,
      reportsUsage: true,
      async execute(run, host) {
        const message = await messageOf(run);
        if (!message.ok) return message.failure;
        return { kind: 'stream', events: attempt(host, (attempt) => exchange(service, run, message.value, attempt)) };
      },
    };
  },
} satisfies RunPlugin<Options>;
