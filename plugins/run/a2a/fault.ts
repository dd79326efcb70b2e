import { type FailedRunResult, OutboundError } from '../../../src/contract/index.ts';

/** What an agent did not do as it should. Thrown, since it has to pass through the SDK, which knows only errors. */
export class AgentFault extends Error {
  readonly failure: FailedRunResult;

  /** @param message fit for a caller's eyes */
  constructor(message: string, retryable = false, retryAfterMs?: number) {
    super(message);
    const pause = retryAfterMs === undefined ? {} : { retryAfterMs };
    this.failure = { kind: 'failed', message, retryable, ...pause };
  }
}

export const taskNotFound = -32001;
const internalError = -32603;

/** The errors of JSON-RPC 2.0 §5.1 and of A2A 1.0 §5.4; an agent's own words for them may repeat what it was sent. */
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

/** What agents refuse a message with that names something they do not know. */
const refusals: ReadonlySet<number> = new Set([taskNotFound, -32602, -32600]);

/** Whether a message may have been refused for the context that it belongs to. */
export function refusesContext(code: number): boolean {
  return refusals.has(code);
}

/** What may be otherwise the next time: trouble inside of the agent. */
const passing = new Set([internalError, -32006]);

/** Says of what was thrown in an exchange with the agent what happened. The SDK's messages hold payload. */
export function failureOf(error: unknown): FailedRunResult {
  const fault = find(error, (cause) => (cause instanceof AgentFault ? cause.failure : undefined));
  if (fault !== undefined) return fault;
  const outbound = OutboundError.from(error);
  if (outbound !== undefined) return { kind: 'failed', message: outbound.message, retryable: outbound.retryable };
  const code = errorCodeOf(error);
  if (code === undefined) {
    return { kind: 'failed', message: 'agent answered with something that is not A2A', retryable: false };
  }
  const name = errorNames[code];
  const message = `agent answered with the error ${code}${name === undefined ? '' : ` (${name})`}`;
  return { kind: 'failed', message, retryable: name === undefined ? isServerError(code) : passing.has(code) };
}

/** The code of the JSON-RPC error that the agent answered with; undefined if it was something else. */
export function errorCodeOf(error: unknown): number | undefined {
  return find(error, (cause) => {
    const code = 'envelopeCode' in cause ? cause.envelopeCode : undefined;
    return typeof code === 'number' && Number.isSafeInteger(code) ? code : undefined;
  });
}

/** What JSON-RPC leaves to servers for errors of their own. */
function isServerError(code: number): boolean {
  return code >= -32099 && code <= -32000;
}

/** The SDK wraps errors in errors. */
function find<T>(error: unknown, read: (error: Error) => T | undefined): T | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    const found = read(cause);
    if (found !== undefined) return found;
  }
  return undefined;
}
