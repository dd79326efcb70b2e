import type { JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, failed, membersOf } from '../../../src/run-kit/index.ts';

/** The error of JSON-RPC that an agent answered with. */
export class RpcFault extends AgentFault {
  readonly code: number;

  constructor(code: number) {
    const name = errorNames[code];
    const message = `agent answered with the error ${code}${name === undefined ? '' : ` (${name})`}`;
    super(failed(message, name === undefined ? isServerError(code) : transient.has(code)));
    this.code = code;
  }

  /** Whether the agent may have refused a message because of the task or context that it names. */
  get refusesContext(): boolean {
    return refusals.has(this.code);
  }
}

export const taskNotFound = -32001;
const internalError = -32603;

/** The errors of JSON-RPC 2.0 §5.1 and of A2A 1.0 §5.4. An agent's own words for them may repeat the payload. */
const errorNames: Readonly<Record<number, string>> = {
  [-32700]: 'parse error',
  [-32600]: 'invalid request',
  [-32601]: 'method not found',
  [-32602]: 'invalid parameters',
  [internalError]: 'internal error',
  [taskNotFound]: 'task not found',
  [-32002]: 'task not cancelable',
  [-32003]: 'push notification not supported',
  [-32004]: 'unsupported operation',
  [-32005]: 'content type not supported',
  [-32006]: 'invalid agent response',
  [-32007]: 'extended agent card not configured',
  [-32008]: 'extension support required',
  [-32009]: 'version not supported',
};

const refusals: ReadonlySet<number> = new Set([taskNotFound, -32602, -32600]);

/** Trouble inside of the agent, which may have passed the next time. */
const transient: ReadonlySet<number> = new Set([internalError, -32006]);

/** Whether JSON-RPC leaves the code to servers, for errors of their own. */
function isServerError(code: number): boolean {
  return code >= -32099 && code <= -32000;
}

/** Returns the fault that the `error` of a JSON-RPC response means. */
export function faultOf(error: JsonValue | undefined): AgentFault {
  const { code } = membersOf(error);
  return typeof code === 'number' && Number.isSafeInteger(code) ? new RpcFault(code) : notA2a();
}

/** The fault of an agent whose answer is not of this protocol. */
export function notA2a(): AgentFault {
  return new AgentFault(failed('agent answered with something that is not A2A'));
}
