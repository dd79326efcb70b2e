import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { OutboundError } from '../../../src/contract/index.ts';

/** The JSON-RPC code of an error that no server has sent, but this side in its place. */
const ownErrorCode = -32_000;

/** Answers a request in place of the server: a transport has no other way to fail a single one. */
export function failedAnswer(id: RequestId, cause: OutboundError): JSONRPCMessage {
  return { jsonrpc: '2.0', id, error: { code: ownErrorCode, message: cause.message, data: cause } };
}

export const isNoMcp = 'agent answered with what is not MCP';

export function noMcp(): OutboundError {
  return new OutboundError('ERR_NO_MCP', isNoMcp, false);
}
