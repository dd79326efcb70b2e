import type { FailedRunResult, JsonObject } from '../../../src/contract/index.ts';
import { AgentFault, type AgentResponse, failed, failureOfStatus, withDetail } from '../../../src/run-kit/index.ts';
import { notMcp } from './message.ts';

/** Codes of errors (https://modelcontextprotocol.io/specification, https://www.jsonrpc.org/specification). */
export const errorCodes = {
  invalidParams: -32_602,
  internalError: -32_603,
  headerMismatch: -32_020,
  missingClientCapability: -32_021,
  urlElicitationRequired: -32_042,
};

/** An error that a server answered with. Its message is for operators only: it may repeat what was sent. */
export class ServerError extends AgentFault {
  readonly code: number;

  constructor(error: JsonObject) {
    const { code } = error;
    if (typeof code !== 'number') throw notMcp();
    super(withDetail(failureOf(code), error));
    this.code = code;
  }
}

/** An unsuccessful status of HTTP. */
export class StatusFault extends AgentFault {
  readonly status: number;

  private constructor(response: AgentResponse, said: string | undefined) {
    super(withDetail(failureOfStatus(response), said));
    this.status = response.status;
  }

  /** @param said the body, if it has been read already */
  static async of(response: AgentResponse, said?: string): Promise<StatusFault> {
    return new StatusFault(response, said ?? (await response.excerpt()));
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
