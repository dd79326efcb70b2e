import type { FinalRunResult, RunEvent, RunPlugin } from '../../../src/contract/index.ts';
import { agentDigest } from '../agent-digest.ts';
import { legacySignal } from '../legacy-signal.ts';
import { Attempt, type Service } from './attempt.ts';
import { checkOptions } from './check-options.ts';
import { createInterpretation } from './interpretation.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createRunRequest } from './run-request.ts';
import { RunStarts } from './run-starts.ts';
import { LangGraphServer } from './server.ts';

/** How many connections there are for cancellations, which are short. */
const connectionsAside = 2;

export default {
  contract: 'v1',
  stage: 'run',
  name: 'langgraph',
  summary:
    'Runs a graph on a LangGraph server, with a thread for each session, and takes its last AI message as the output.',
  optionsSchema: schema,
  create(context, options) {
    const { connections, maxResponse: maxResponseBytes, timeout: timeoutMs, stream } = options;
    const main = context.outbound({ connections, maxResponseBytes });
    const aside = context.outbound({ connections: connectionsAside, maxResponseBytes });
    const { url, headers } = checkOptions(context, main, options);
    const server = new LangGraphServer({ main, aside }, url, headers);
    const starts = new RunStarts(server);
    // Before the clients are closed, since closers run last registered first.
    context.onClose(() => starts.settled());
    const service: Service = {
      server,
      starts,
      serverId: agentDigest(new URL(url)),
      requestOf: createRunRequest(context, options),
      interpret: createInterpretation(context, options),
      isStreamed: stream,
      timeoutMs,
    };
    return {
      execute(run, attempt) {
        const events = new Attempt(service, run, legacySignal(attempt)).execute();
        return stream ? { kind: 'stream', events } : lastOf(events);
      },
    };
  },
} satisfies RunPlugin<Options>;

async function lastOf(events: AsyncGenerator<RunEvent, FinalRunResult, undefined>): Promise<FinalRunResult> {
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}
