import { ProtocolError, ProtocolErrorCode, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { type FailedRunResult, OutboundError } from '../../../src/contract/index.ts';
import { answeredStatus, isPassing } from '../answered-status.ts';
import { failed } from '../failed.ts';
import { isNoMcp } from './own-answer.ts';

const asksForInput = 'the tool asks for input, which is not supported';

/** Makes a failure of what a call was rejected with. Messages of the SDK repeat what the server says, so none is told. */
export function failureOf(error: unknown): FailedRunResult {
  const outbound = outboundErrorIn(error);
  if (outbound !== undefined) return failed(outbound.message, outbound.retryable);
  if (SdkHttpError.isInstance(error)) return failureOfStatus(error.status);
  if (ProtocolError.isInstance(error)) return failureOfCode(error.code);
  if (SdkError.isInstance(error)) return failureOfSdk(error.code);
  return failed(isNoMcp);
}

function outboundErrorIn(error: unknown): OutboundError | undefined {
  const { data } = ProtocolError.isInstance(error) ? error : {};
  return OutboundError.from(error) ?? OutboundError.from(data);
}

function failureOfStatus(status: number | undefined): FailedRunResult {
  if (status === undefined) return failed(isNoMcp);
  return failed(answeredStatus(status), isPassing(status));
}

function failureOfCode(code: number): FailedRunResult {
  switch (code) {
    case ProtocolErrorCode.InvalidParams:
      return failed(`the MCP server has no such tool, or not with such arguments (${code})`);
    case ProtocolErrorCode.MissingRequiredClientCapability:
    case ProtocolErrorCode.UrlElicitationRequired:
      return failed(asksForInput);
    default:
      return failed(`the MCP server refused the call (${code})`, code === ProtocolErrorCode.InternalError);
  }
}

function failureOfSdk(code: string): FailedRunResult {
  switch (code) {
    case SdkErrorCode.ConnectionClosed:
    case SdkErrorCode.NotConnected:
    case SdkErrorCode.SendFailed:
      return failed('the connection to the MCP server was closed', true);
    case SdkErrorCode.RequestTimeout:
      return failed('the MCP server did not answer in time', true);
    case SdkErrorCode.UnsupportedResultType:
      return failed(asksForInput);
    case SdkErrorCode.EraNegotiationFailed:
      return failed('the MCP server speaks no revision of MCP that this gateway knows');
    default:
      return failed(isNoMcp);
  }
}
