import type { Attempt, JsonValue, RunPlugin, RunRequest } from '../../../src/contract/index.ts';
import { AgentClient, attempt, failed, resultOf, settle } from '../../../src/run-kit/index.ts';
import { concludeExchange } from './answer.ts';
import { responsesInBackground } from './background.ts';
import { chatApi } from './chat.ts';
import { checkOptions } from './check-options.ts';
import { ask } from './exchange.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createPrompter } from './prompt.ts';
import { ResponseMemory } from './response-memory.ts';
import { responsesApi } from './responses.ts';

export default {
  contract: 'v1',
  stage: 'run',
  name: 'openai',
  summary: 'Asks a language model, at OpenAI or any endpoint that speaks its API: chat completions or responses.',
  optionsSchema: schema,
  create(context, options) {
    checkOptions(context, options);
    const { apiKey, baseUrl } = options;
    const headers = { ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }), ...options.headers };
    const agent = new AgentClient(context, { ...options, url: baseUrl, pointer: '/baseUrl', headers });
    const prompter = createPrompter(context, options);
    const conclude = concludeExchange(context, options);
    const memory = new ResponseMemory(options);
    const api = options.api === 'chat' ? chatApi(options) : responsesApi(options, memory);
    const background = responsesInBackground(agent, conclude, memory);
    // An expression may remove parts of the answer, which must not be streamed before.
    const streams = options.stream && options.output === undefined;

    return {
      timeoutMs: options.timeout,
      reportsUsage: true,
      async execute(run, host) {
        const prompt = await prompter(run);
        if (!prompt.ok) return prompt.failure;
        const turn = api.turn(prompt.value, run.session?.memory);
        if (options.background) return settle(host, (attempt) => background.begin(run, turn, attempt));
        const events = attempt(host, async function* ({ signal }) {
          const ended = yield* ask(agent.forRun(run), turn, streams, signal);
          return ended.kind === 'refused' ? turn.failureOf(ended) : conclude(run, ended, turn.memoryAfter);
        });
        return streams ? { kind: 'stream', events } : resultOf(events);
      },
      ...(options.api === 'responses' && {
        resume(run: RunRequest, handle: JsonValue, host: Attempt) {
          const responseId = memory.idIn(handle);
          if (responseId === undefined) return failed('the run was begun by an agent that its trigger no longer has');
          return settle(
            host,
            (attempt) => background.finish(run, responseId, attempt),
            () => background.cancel(run, responseId),
          );
        },
      }),
    };
  },
} satisfies RunPlugin<Options>;
