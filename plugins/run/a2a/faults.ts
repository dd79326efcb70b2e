import type { JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, failed, membersOf, withDetail } from '../../../src/run-kit/index.ts';

interface KnownError {
  readonly name: string;
  /** Trouble inside of the agent, which may have passed the next time. */
  readonly isTransient?: true;
  /** The agent may have refused a message because of the task or context that it names. */
  readonly refusesContext?: true;
}

export const taskNotFound = -32001;

/** The errors of JSON-RPC 2.0 §5.1 and of A2A 1.0 §5.4. An agent's own words for them may repeat the payload: they are for operators only. */
const knownErrors: ReadonlyMap<number, KnownError> = new Map<number, KnownError>([
  [-32700, { name: 'parse error' }],
  [-32600, { name: 'invalid request', refusesContext: true }],
  [-32601, { name: 'method not found' }],
  [-32602, { name: 'invalid parameters', refusesContext: true }],
  [-32603, { name: 'internal error', isTransient: true }],
  [taskNotFound, { name: 'task not found', refusesContext: true }],
  [-32002, { name: 'task not cancelable' }],
  [-32003, { name: 'push notification not supported' }],
  [-32004, { name: 'unsupported operation' }],
  [-32005, { name: 'content type not supported' }],
  [-32006, { name: 'invalid agent response', isTransient: true }],
  [-32007, { name: 'extended agent card not configured' }],
  [-32008, { name: 'extension support required' }],
  [-32009, { name: 'version not supported' }],
]);

/** The error of JSON-RPC that an agent answered with. */
export class RpcFault extends AgentFault {
  readonly code: number;
  readonly refusesContext: boolean;

  /** @param error as the agent sent it */
  constructor(code: number, error: JsonValue | undefined) {
    const known = knownErrors.get(code);
    // JSON-RPC leaves this range to servers, for errors of their own.
    const isOfServer = code >= -32099 && code <= -32000;
    const name = known === undefined ? '' : ` (${known.name})`;
    const isTransient = known === undefined ? isOfServer : known.isTransient;
    super(withDetail(failed(`agent answered with the error ${code}${name}`, isTransient), error));
    this.code = code;
    this.refusesContext = known?.refusesContext === true;
  }
}

/** Returns the fault that the `error` of a JSON-RPC response means. */
export function faultOf(error: JsonValue | undefined): AgentFault {
  const { code } = membersOf(error);
  return typeof code === 'number' && Number.isSafeInteger(code) ? new RpcFault(code, error) : notA2a();
}

/** The fault of an agent whose answer is not of this protocol. */
export function notA2a(): AgentFault {
  return unusable('something that is not A2A');
}

export function unusable(what: string): AgentFault {
  return new AgentFault(failed(`agent answered with ${what}`));
}
