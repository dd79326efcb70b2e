import { runStates } from '../contract/index.ts';

/** What lists of runs can be restricted to: a state, or the runs whose process died while it executed them. */
export const listedStates = [...runStates, 'suspect'] as const;
