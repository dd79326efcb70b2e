import type { RunResult } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { failed } from '../failed.ts';
import type { Ending, StopCause } from './agent-process.ts';
import type { Options } from './options.gen.ts';

/** `EX_TEMPFAIL` of sysexits.h: what a program exits with to be tried again. */
const tryAgain = 75;

/** The machine has no process, file handle or memory to spare at the moment. */
const shortages = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Makes a run's result of how the program ended. */
export function resultOf(ending: Ending, options: Options): RunResult {
  switch (ending.kind) {
    case 'exited':
      if (ending.code === 0) return read(ending.stdout, options.output);
      return failed(`agent exited with code ${ending.code}`, ending.code === tryAgain);
    case 'killed':
      return failed(`agent was ended by ${ending.signal}`);
    case 'not_started':
      return failed(`agent could not be started (${ending.code})`, shortages.has(ending.code));
    case 'stopped':
      return resultOfStop(ending.cause, options);
  }
}

function resultOfStop(cause: StopCause, { timeout: timeoutMs, maxOutput: maxBytes }: Options): RunResult {
  switch (cause) {
    case 'timeout':
      return failed(`agent did not finish within ${timeoutMs / 1000}s`, true);
    case 'output':
      return failed(`agent wrote more than ${maxBytes} bytes`);
    case 'abort':
      return failed('the run was aborted');
    case 'close':
      return failed('the gateway ended the agent to stop', true);
  }
}

function read(stdout: Buffer, output: Options['output']): RunResult {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(stdout);
  } catch {
    return failed('agent answered with text that is not UTF-8');
  }
  if (output === 'text') return { kind: 'succeeded', output: withoutLineEnd(text) };
  if (output === 'auto' && text === '') return { kind: 'succeeded', output: null };
  const parsed = parseAgentJson(text);
  if (parsed.ok) return { kind: 'succeeded', output: parsed.value };
  if (output === 'auto' && parsed.fault === 'invalid JSON') return { kind: 'succeeded', output: withoutLineEnd(text) };
  return failed(`agent answered with ${parsed.fault}`);
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
