import { ProtocolError, ProtocolErrorCode, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { type FailedRunResult, OutboundError } from '../../../src/contract/index.ts';
import { AgentFault, failed, failureOfStatus } from '../../../src/run-kit/index.ts';
import { notMcp } from './message.ts';

const asksForInput = 'the tool asks for input, which is not supported';

/** Returns the failure that an error of a call means. Messages of the SDK are not passed on: they repeat what the server sent. */
export function failureOf(error: unknown): FailedRunResult {
  const known = knownFailure(error) ?? (ProtocolError.isInstance(error) ? knownFailure(error.data) : undefined);
  if (known !== undefined) return known;
  if (SdkHttpError.isInstance(error) && error.status !== undefined) {
    return failureOfStatus({ status: error.status, headers: {} });
  }
  if (ProtocolError.isInstance(error)) return failureOfCode(error.code);
  if (SdkError.isInstance(error)) return failureOfSdk(error.code);
  return notMcp().failure;
}

/** The failure that this side has found, wrapped in errors of the SDK. */
function knownFailure(error: unknown): FailedRunResult | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof AgentFault) return cause.failure;
  }
  const outbound = OutboundError.from(error);
  return outbound && failed(outbound.message, outbound.retryable);
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
      return failed('the MCP server speaks no revision of MCP that this gateway supports');
    default:
      return notMcp().failure;
  }
}
