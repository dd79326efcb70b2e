import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fromJsonSchema, inputRequired, McpServer } from '@modelcontextprotocol/server';

/** What the tools of a server in this process have seen. */
export interface ToolTrace {
  readonly calls: string[];
  readonly cancelled: string[];
}

const anything = fromJsonSchema<Record<string, unknown>>({ type: 'object' });
const two = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
} as const;

/** A server of the SDK with the tools that the tests call. */
export function toolServer(trace: ToolTrace = { calls: [], cancelled: [] }): McpServer {
  const server = new McpServer({ name: 'tools-of-the-tests', version: '1.0.0' });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

  server.registerTool('add', { inputSchema: fromJsonSchema<{ a: number; b: number }>(two) }, async ({ a, b }) => {
    trace.calls.push('add');
    return { ...text(String(a + b)), structuredContent: { sum: a + b } };
  });
  server.registerTool('repeat', { inputSchema: anything }, async (given) => text(JSON.stringify(given)));
  server.registerTool('two-texts', {}, async () => ({ content: [...text('{"a":1}').content, ...text('b').content] }));
  server.registerTool('picture', {}, async () => ({
    content: [{ type: 'image' as const, data: 'iVBORw0KGgo=', mimeType: 'image/png' }],
  }));
  server.registerTool('refuse', {}, async () => ({ ...text('s3cret in the message'), isError: true }));
  server.registerTool(
    'large',
    { inputSchema: fromJsonSchema<{ bytes: number }>({ type: 'object' }) },
    async ({ bytes }) => text('x'.repeat(bytes)),
  );
  server.registerTool('deep', {}, async () => {
    let deep: unknown = [];
    for (let depth = 0; depth < 300; depth += 1) deep = [deep];
    return { content: [], structuredContent: { deep } };
  });
  server.registerTool(
    'slow',
    { inputSchema: fromJsonSchema<{ begun?: string; wasCancelled?: boolean }>({ type: 'object' }) },
    async ({ begun, wasCancelled }, context) => {
      if (wasCancelled) return text(trace.cancelled.join());
      trace.calls.push('slow');
      if (begun !== undefined) writeFileSync(begun, '');
      await new Promise((resolve) => context.mcpReq.signal.addEventListener('abort', resolve));
      trace.cancelled.push('slow');
      return text('cancelled');
    },
  );
  // The same question as the two eras of the protocol ask it.
  const question = { message: 'Which order?', requestedSchema: { type: 'object' as const, properties: {} } };
  server.registerTool('ask', {}, async (context) => {
    return text(JSON.stringify(await context.mcpReq.elicitInput({ mode: 'form', ...question })));
  });
  server.registerTool('ask-later', {}, async () =>
    inputRequired({ inputRequests: { order: inputRequired.elicit(question) } }),
  );
  server.registerTool('environment', {}, async () => ({ ...text(''), structuredContent: { ...process.env } }));
  server.registerTool('family', {}, async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    return { ...text(''), structuredContent: { server: process.pid, child: child.pid ?? 0 } };
  });
  server.registerTool('exit', {}, async () => process.exit(3));
  return server;
}
