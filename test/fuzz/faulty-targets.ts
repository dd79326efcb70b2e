import { Fault, type OpenTarget, type Outcome, type Target } from './engine/target.ts';

/** Where a process of the fuzzer finds these. */
export const faultyModule = import.meta.filename;

const fine: Outcome = { kind: 'value', code: 'fine' };

/** Targets with one fault each, on any input with an exclamation mark. */
export const targets: readonly Target[] = [
  faulty('sound', () => fine),
  faulty('throws', () => {
    throw new TypeError('not expected');
  }),
  faulty('exits', () => process.exit(3)),
  faulty('hangs at once', () => {
    for (;;);
  }),
  faulty('never settles', () => new Promise(() => {})),
  faulty('answers 500', () => {
    throw new Fault('server error', '500');
  }),
  faulty('works too much', () => ({ ...fine, work: { done: 11, limit: 10 } })),
  faulty('lies', () => {
    throw new Fault('broken promise', 'what was promised');
  }),
];

function faulty(name: string, run: OpenTarget['run']): Target {
  return {
    ...{ name, shape: 'bytes', words: ['!'], maxBytes: 20 },
    seeds: () => ['ab', 'cd!'],
    open: () => ({ run: (input) => (input.includes('!') ? run(input) : fine) }),
  };
}
