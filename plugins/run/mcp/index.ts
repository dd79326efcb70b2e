import type { RunPlugin } from '../../../src/contract/index.ts';
import { settle } from '../../../src/run-kit/index.ts';
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
    const address = await checkOptions(options, context);
    const argumentsOf = createArguments(context, options);
    const outputOf = createOutput(context, options);
    // The SDK takes a while to load, which a gateway without such a trigger should not wait for.
    const { ToolServer } = await import('./tool-server.ts');
    const server = new ToolServer(address, options);
    context.onClose(() => server.close());
    const limiter = new Limiter(options.connections);
    return {
      timeoutMs: options.timeout,
      async execute(run, host) {
        const toolArguments = await argumentsOf(run);
        if (!toolArguments.ok) return toolArguments.failure;
        return settle(host, async ({ signal }) => {
          const result = await limiter.run(() => server.call(toolArguments.value, signal), signal);
          return outputOf(result, run);
        });
      },
    };
  },
} satisfies RunPlugin<Options>;
