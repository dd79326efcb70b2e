import { Fault, type OpenTarget, type Outcome } from './target.ts';

/** Runs one input. Throws a Fault, or any other error for a crash, unless the outcome is allowed. */
export function attempt(opened: OpenTarget, input: Buffer): Outcome | Promise<Outcome> {
  const running = opened.run(input);
  return running instanceof Promise ? running.then(withinWork) : withinWork(running);
}

function withinWork(outcome: Outcome): Outcome {
  const { work } = outcome;
  if (work !== undefined && !(work.done <= work.limit)) {
    throw new Fault('work beyond its limit', `${work.done} units of work, of ${work.limit}`);
  }
  return outcome;
}
