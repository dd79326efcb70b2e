import type { FailedRunResult, JsonObject } from '../../../src/contract/index.ts';
import { AgentFault, type AgentResponse, failed, failureOfStatus } from '../../../src/run-kit/index.ts';
import { notMcp } from './message.ts';

/** Codes of errors (https://modelcontextprotocol.io/specification, https://www.jsonrpc.org/specification). */
export const errorCodes = {
  invalidParams: -32_602,
  internalError: -32_603,
  headerMismatch: -32_020,
  missingClientCapability: -32_021,
  urlElicitationRequired: -32_042,
};

/** An error that a server answered with. Its message is not passed on: it may repeat what was sent. */
export class ServerError extends AgentFault {
  readonly code: number;

  constructor({ code }: JsonObject) {
    if (typeof code !== 'number') throw notMcp();
    super(failureOf(code));
    this.code = code;
  }
}

/** An unsuccessful status of HTTP. */
export class StatusFault extends AgentFault {
  readonly status: number;

  constructor(response: AgentResponse) {
    super(failureOfStatus(response));
    this.status = response.status;
  }

  /** Whether a request of another revision may be accepted. */
  get mayDependOnRevision(): boolean {
    return this.status < 500 && this.status !== 401 && this.status !== 403;
  }
}

export function asksForInput(): FailedRunResult {
  return failed('the tool asks for input, which is not supported');
}

function failureOf(code: number): FailedRunResult {
  switch (code) {
    case errorCodes.invalidParams:
      return failed(`the MCP server has no such tool, or not with such arguments (${code})`);
    case errorCodes.missingClientCapability:
    case errorCodes.urlElicitationRequired:
      return asksForInput();
    default:
      return failed(`the MCP server refused the call (${code})`, code === errorCodes.internalError);
  }
}
