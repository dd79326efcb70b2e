const marker = Symbol.for('pullcord.AttemptReleased');

/**
 * Why the signal of an attempt aborts although its work is not to be given up: the gateway stops, and its next start goes
 * on with it, or its result has come by another way.
 */
export class AttemptReleased extends Error {
  override readonly name = 'AttemptReleased';
  readonly [marker] = true;

  constructor() {
    super('nobody waits for it here any more');
  }
}

/**
 * Says of an aborted signal whether what it stands for is to be given up: the run was cancelled, or its time is up. Then
 * the agent is to be told to stop too.
 */
export function isCancellation({ aborted, reason }: AbortSignal): boolean {
  // Recognised by marker, not by class, as other errors of the contract.
  return aborted && !(reason instanceof Error && marker in reason);
}
