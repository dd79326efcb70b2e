import t from 'tap';
import mcp from '../../../plugins/run/mcp/index.ts';
import { type AgentReply, type AgentRequest, httpHarness } from '../../../src/run-kit/conformance.ts';
import { testPromises } from '../../support/run-plugin.ts';
import { defaults } from './support.ts';

const headers = { 'content-type': 'application/json' };
const messageTo = ({ json }: AgentRequest, message: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: json.id, ...message });

/** The replies to requests by which a connection is opened and closed. */
function aside(request: AgentRequest): AgentReply | undefined {
  switch (request.json?.method) {
    case 'tools/call':
      return undefined;
    case 'server/discover':
      return { headers, body: messageTo(request, { error: { code: -32601, message: 'Method not found' } }) };
    case 'initialize': {
      const { protocolVersion } = request.json.params;
      const serverInfo = { name: 'stand-in', version: '1' };
      return {
        headers,
        body: messageTo(request, { result: { protocolVersion, capabilities: { tools: {} }, serverInfo } }),
      };
    }
    default:
      return { status: 202 };
  }
}

t.test('mcp › keeps what every run plugin promises', async (t) => {
  testPromises(
    t,
    httpHarness({
      plugin: mcp,
      options: (url, { maxResponse }) => ({ ...defaults, url, maxResponse }),
      headers,
      answer: (text, request) => messageTo(request, { result: { content: [{ type: 'text', text }] } }),
      // JSON may begin with white space of any length.
      piece: () => ' '.repeat(100),
      stops: ({ json }) => json?.method === 'notifications/cancelled',
      aside,
      exempt: {
        shutdown: 'a call cannot be resumed: it is cancelled, and the next start makes it again',
        'foreign memory': 'a call of a tool has no conversation',
      },
    }),
  );
});
