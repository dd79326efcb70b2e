import { validateHeaderValue } from 'node:http';
import { OptionsError, type OptionsProblem } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';

/** Refuses options that no request could be made of; the address is looked at where it is used. */
export function checkOptions({ url, apiKey, app, query, timeout, maxResponse }: Options): void {
  const problems: OptionsProblem[] = [];
  if (/[?#]/.test(url)) {
    const hint = 'It is what /chat-messages and /workflows/run are appended to.';
    problems.push({ pointer: '/url', message: 'must end with its path', hint });
  }
  if (!isHeaderValue(apiKey)) {
    const hint = 'Look for a line break: the key is one line, app-…';
    problems.push({ pointer: '/apiKey', message: 'holds what a header cannot carry', hint });
  }
  if (app === 'workflow' && query !== undefined) {
    const hint = 'Give it as one of its inputs, e.g. inputs: "{ \'query\': instruction }".';
    problems.push({ pointer: '/query', message: 'means nothing to a workflow', hint });
  }
  if (timeout === 0) problems.push({ pointer: '/timeout', message: 'must be longer than nothing' });
  if (maxResponse === 0) problems.push({ pointer: '/maxResponse', message: 'must be larger than nothing' });
  if (problems.length > 0) throw new OptionsError(problems);
}

function isHeaderValue(value: string): boolean {
  try {
    validateHeaderValue('authorization', value);
    return true;
  } catch {
    return false;
  }
}
