import type { JsonObject, PluginContext, RunPlugin, RunRequest } from '../../../src/contract/index.ts';
import { createObjectMapping, type Mapped, sentMembers, settle } from '../../../src/run-kit/index.ts';
import { checkOptions } from './check-options.ts';
import { Limiter } from './limiter.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { createOutput } from './output.ts';
import { ToolServer } from './tool-server.ts';

/** Calls one tool of an MCP server (https://modelcontextprotocol.io/specification). */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'mcp',
  summary: 'Calls a tool of an MCP server, by streamable HTTP or as a program, with arguments made of the body.',
  optionsSchema: schema,
  async create(context, options) {
    const address = await checkOptions(options, context);
    const argumentsOf = createArguments(context, options.arguments);
    const outputOf = createOutput(context, options);
    const server = new ToolServer(address, options);
    context.onClose(() => server.close());
    const limiter = new Limiter(options.connections);
    return {
      timeoutMs: options.timeout,
      reportsUsage: options.usage !== undefined,
      async execute(run, host) {
        const toolArguments = await argumentsOf(run);
        if (!toolArguments.ok) return toolArguments.failure;
        return settle(host, async ({ signal }) => {
          const result = await limiter.run(
            () => server.call({ arguments: toolArguments.value, trace: run.trace }, signal),
            signal,
          );
          return outputOf(result, run);
        });
      },
    };
  },
} satisfies RunPlugin<Options>;

/** Returns a function that makes the arguments of the tool for a run. Throws an OptionsError. */
function createArguments(context: PluginContext, source: string | undefined) {
  const mapping = source === undefined ? undefined : createObjectMapping(context, '/arguments', source);
  return async (run: RunRequest): Promise<Mapped<JsonObject>> => {
    if (mapping !== undefined) return mapping.apply(run.input, run);
    // A strict tool would refuse the members that the gateway adds or acts on.
    return { ok: true, value: sentMembers(run) };
  };
}
