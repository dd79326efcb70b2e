import type { Attempt, JsonValue, RunPlugin, RunRequest } from '../../../src/contract/index.ts';
import { withinDeadline } from '../deadline.ts';
import { legacySignal } from '../legacy-signal.ts';
import { streamWithinDeadline } from '../stream-deadline.ts';
import type { Turn } from './api.ts';
import { Background } from './background.ts';
import { chatApi } from './chat.ts';
import { checkOptions } from './check-options.ts';
import { createClient } from './client.ts';
import { answered, told } from './exchange.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createConclusion } from './output.ts';
import { createPrompter } from './prompt.ts';
import { ResponseMemory } from './response-memory.ts';
import { responsesApi } from './responses.ts';

/** How many connections there are for cancelling, which is short. */
const cancelConnections = 4;

export default {
  contract: 'v1',
  stage: 'run',
  name: 'openai',
  summary: 'Asks a language model, at OpenAI or any endpoint that speaks its API: chat completions or responses.',
  optionsSchema: schema,
  async create(context, options) {
    const { timeout: timeoutMs, maxResponse: maxResponseBytes, connections } = options;
    const outbound = context.outbound({ connections, maxResponseBytes });
    checkOptions(context, outbound, options);
    const prompter = createPrompter(context, options);
    const conclude = createConclusion(context, options);
    const client = await createClient(outbound, options);
    const memory = new ResponseMemory(options);
    const api = options.api === 'chat' ? chatApi(client, options) : responsesApi(client, options, memory);
    const outboundAside = context.outbound({ connections: cancelConnections, maxResponseBytes });
    const cancelClient = await createClient(outboundAside, options);
    const background = new Background({ client, cancelClient, conclude, memory, log: context.log, timeoutMs });
    // What an expression takes out must not have been told before.
    const streams = options.stream && options.output === undefined;

    async function ask(run: RunRequest, turn: Turn, signal: AbortSignal) {
      const answer = await answered(turn.ask(signal));
      if (answer.kind === 'refused') return turn.failureOf(answer);
      return conclude(run, turn.answerOf(answer.value), turn.memoryAfter);
    }
    async function* stream(run: RunRequest, turn: Turn, signal: AbortSignal) {
      const ended = yield* told(turn, signal);
      if (ended.kind === 'refused') return turn.failureOf(ended);
      return conclude(run, ended, turn.memoryAfter);
    }

    return {
      async execute(run, attempt) {
        const signal = legacySignal(attempt);
        const prompt = await prompter(run);
        if (!prompt.ok) return prompt.failure;
        const turn = api.turn(prompt.value, run.session?.memory);
        if (options.background) return background.begin(run, turn, signal);
        if (!streams) return withinDeadline(timeoutMs, signal, (signal) => ask(run, turn, signal));
        return {
          kind: 'stream',
          events: streamWithinDeadline(timeoutMs, signal, (signal) => stream(run, turn, signal)),
        };
      },
      ...(options.api === 'responses' && {
        resume: (run: RunRequest, handle: JsonValue, attempt: Attempt) =>
          background.resume(run, handle, legacySignal(attempt)),
      }),
    };
  },
} satisfies RunPlugin<Options>;
