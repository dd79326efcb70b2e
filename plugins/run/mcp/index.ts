import type { RunPlugin } from '../../../src/contract/index.ts';
import { withinDeadline } from '../deadline.ts';
import { createArguments } from './arguments.ts';
import { checkOptions } from './check-options.ts';
import { Limiter } from './limiter.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createOutput } from './output.ts';

/** Calls one tool of an MCP server (https://modelcontextprotocol.io/specification). */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'mcp',
  summary: 'Calls a tool of an MCP server, by streamable HTTP or as a program, with arguments made of the body.',
  optionsSchema: schema,
  async create(context, options) {
    const { connections, maxResponse: maxResponseBytes, timeout: timeoutMs } = options;
    // Twice as many, so that a call can be cancelled while all of them are busy.
    const client = context.outbound({ connections: 2 * connections, maxResponseBytes });
    const address = await checkOptions(options, context, client);
    const argumentsOf = createArguments(context, options);
    const outputOf = createOutput(context, options);
    // Loaded late, since it brings the SDK, which takes as long to load as much of the gateway does.
    const { ToolServer } = await import('./tool-server.ts');
    const server = new ToolServer(address, options, client);
    context.onClose(() => server.close());
    const limiter = new Limiter(connections);
    return {
      async execute(run, { signal }) {
        const toolArguments = await argumentsOf(run);
        if (!toolArguments.ok) return toolArguments.failure;
        return withinDeadline(timeoutMs, signal, async (callSignal) => {
          const called = await limiter.run(() => server.call(toolArguments.value, callSignal), callSignal);
          return called.ok ? outputOf(called.result, run) : called.failure;
        });
      },
    };
  },
} satisfies RunPlugin<Options>;
