import type { FinalRunResult, JsonValue } from '../../../src/contract/index.ts';
import { aborted, failed, failureOf, parseAgentJson, textOf } from '../../../src/run-kit/index.ts';
import type { Ending, StopCause } from './agent-process.ts';
import type { Options } from './options.gen.ts';

/** `EX_TEMPFAIL` of sysexits.h: the exit code of a transient failure. */
const tryAgain = 75;

/** The machine is out of processes, file handles or memory at the moment. */
const shortages = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Returns the result that the end of the program means. */
export function resultOf(ending: Ending, options: Options): FinalRunResult {
  switch (ending.kind) {
    case 'exited':
      if (ending.code === 0) return answerOf(ending.stdout, options.output);
      return failed(`agent exited with code ${ending.code}`, ending.code === tryAgain);
    case 'killed':
      return failed(`agent was ended by ${ending.signal}`);
    case 'not_started':
      return failed(`agent could not be started (${ending.code})`, shortages.has(ending.code));
    case 'stopped':
      return resultOfStop(ending.cause, options);
  }
}

/** Returns what a program that failed has written on stdout; null unless that is valid. */
export function answerIn(ending: Ending, { output }: Options): JsonValue {
  if (ending.kind !== 'exited') return null;
  const answer = answerOf(ending.stdout, output);
  return answer.kind === 'failed' ? null : answer.output;
}

function resultOfStop(cause: StopCause, { maxOutput: maxBytes }: Options): FinalRunResult {
  switch (cause) {
    case 'output':
      return failed(`agent wrote more than ${maxBytes} bytes`);
    case 'abort':
      return aborted;
    case 'close':
      return failed('the gateway ended the agent to stop', true);
  }
}

function answerOf(stdout: Buffer, output: Options['output']): FinalRunResult {
  try {
    const text = textOf(stdout);
    if (output === 'text') return { kind: 'succeeded', output: withoutLineEnd(text) };
    if (output === 'auto' && text === '') return { kind: 'succeeded', output: null };
    const json = parseAgentJson(text);
    if (json.ok) return { kind: 'succeeded', output: json.value };
    if (output === 'auto' && json.fault === 'invalid JSON') return { kind: 'succeeded', output: withoutLineEnd(text) };
    return failed(`agent answered with ${json.fault}`);
  } catch (error) {
    return failureOf(error);
  }
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
