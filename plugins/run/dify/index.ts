import type { RunPlugin } from '../../../src/contract/index.ts';
import { legacySignal } from '../legacy-signal.ts';
import { checkOptions } from './check-options.ts';
import { createMessages } from './message.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createService } from './service.ts';
import { createTaskStopper } from './stop-task.ts';
import { createTalk } from './talk.ts';

/**
 * Calls an app of Dify (https://docs.dify.ai/en/api-reference/guides/streaming). Always as a stream: agent apps refuse
 * `blocking`, and proxies cut what is silent for long.
 */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'dify',
  summary: 'Asks a chatbot, an agent or a chatflow of Dify, or runs a workflow, and streams what it answers.',
  optionsSchema: schema,
  create(context, options) {
    checkOptions(options);
    const service = createService(context, options);
    const messageOf = createMessages(context, options);
    const talk = createTalk(context, options, service, createTaskStopper(context, options, service));
    return {
      async execute(run, attempt) {
        const message = await messageOf(run);
        return message.ok
          ? { kind: 'stream', events: talk(run, message.value, legacySignal(attempt)) }
          : message.failure;
      },
    };
  },
} satisfies RunPlugin<Options>;
