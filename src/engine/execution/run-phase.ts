/**
 * Where a run is in this process. The `state` of its record is what callers see; the phase says what may happen next.
 * A phase changes by `RunSlot.enter` alone, which refuses any step that is not listed here.
 */
export type RunPhase =
  /** The store has not confirmed it yet. */
  | 'submitting'
  /** It waits for a place within the limits of gateway and trigger, or for its turn in its session. */
  | 'queued'
  /** It has a place; the store is noting its next attempt. */
  | 'starting'
  /** An attempt is being executed. */
  | 'running'
  /** It has given its place away until the delay before its next attempt has passed. */
  | 'pausing'
  /** Its end is decided and being stored. Late outcomes are ignored. */
  | 'ending'
  /** The engine is closing and leaves it to its next start. Late outcomes are ignored. */
  | 'released'
  /** It has left the engine: its end is stored, or it was refused or released. */
  | 'ended';

const successors: Readonly<Record<RunPhase, readonly RunPhase[]>> = {
  // The place of a run that starts at once is stored with its submission, so there is nothing to note.
  submitting: ['queued', 'starting', 'running', 'ending', 'released', 'ended'],
  // A run may get its place, and lose it again, before the store answers its submission: then it can still be refused.
  queued: ['starting', 'ending', 'released', 'ended'],
  starting: ['running', 'pausing', 'ending', 'released', 'ended'],
  running: ['pausing', 'ending', 'released'],
  pausing: ['queued', 'ending', 'released', 'ended'],
  ending: ['ended'],
  released: ['ended'],
  ended: [],
};

export function isAllowed(from: RunPhase, to: RunPhase): boolean {
  return successors[from].includes(to);
}
