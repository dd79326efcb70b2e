import { OptionsError, type RunPlugin } from '../../../src/contract/index.ts';
import {
  AgentClient,
  attempt,
  Conversation,
  createConclusion,
  optionProblems,
  resultOf,
} from '../../../src/run-kit/index.ts';
import { Exchange, type Service } from './exchange.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createRunRequest } from './run-request.ts';

/** Calls a server by its API (https://docs.langchain.com/langsmith/server-api-ref). */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'langgraph',
  summary:
    'Runs a graph on a LangGraph server, with a thread for each session, and takes its last AI message as the output.',
  optionsSchema: schema,
  create(context, options) {
    const { url, apiKey, stream, timeout: timeoutMs } = options;
    const problems = optionProblems({
      bases: { '/url': url },
      headers: options.headers,
      secrets: { '/apiKey': apiKey },
    });
    if (apiKey !== undefined && Object.keys(options.headers).some((name) => name.toLowerCase() === 'x-api-key')) {
      problems.push({ pointer: '/apiKey', message: 'is given twice: `headers` has an x-api-key' });
    }
    if (problems.length > 0) throw new OptionsError(problems);
    const headers = {
      accept: 'application/json, text/event-stream',
      ...options.headers,
      ...(apiKey !== undefined && { 'x-api-key': apiKey }),
    };
    const agent = new AgentClient(context, { ...options, headers });
    const service: Service = {
      agent,
      // The interrupts of one graph mean nothing to another.
      conversation: new Conversation(agent.url, options.assistant),
      requestOf: createRunRequest(context, options),
      conclude: createConclusion(context, options.output),
      isStreamed: stream,
    };
    return {
      timeoutMs,
      reportsUsage: true,
      execute(run, host) {
        const events = attempt(host, (attempt) => new Exchange(service, run, attempt).converse());
        return stream ? { kind: 'stream', events } : resultOf(events);
      },
    };
  },
} satisfies RunPlugin<Options>;
