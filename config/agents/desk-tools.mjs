#!/usr/bin/env node
// An MCP server in its smallest form: JSON-RPC on stdin and stdout, one message a line, and one tool.
// A real one would be made with an SDK: https://modelcontextprotocol.io
import { createInterface } from 'node:readline';

const tool = {
  name: 'opening_hours',
  description: 'Tells when the support desk is open.',
  inputSchema: { type: 'object', properties: { day: { type: 'string' } } },
};

const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'desk-tools', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [tool] }),
  'tools/call': ({ name, arguments: { day } = {} }) => {
    if (name !== tool.name) throw new Error(`there is no tool ${name}`);
    const hours = /^s(atur|un)day$/i.test(day) ? 'closed' : '9:00 to 17:00';
    return { content: [{ type: 'text', text: hours }], structuredContent: { day: day ?? 'weekdays', hours } };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params = {} } = JSON.parse(line);
  // Without an id it is a notification, which nobody wants answered.
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params) }));
}

function answer(method, params) {
  if (!Object.hasOwn(methods, method)) return { error: { code: -32601, message: `there is no method ${method}` } };
  try {
    return { result: methods[method](params) };
  } catch (error) {
    return { error: { code: -32602, message: error.message } };
  }
}
