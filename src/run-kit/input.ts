import type { JsonObject, JsonValue, RunIdentity } from '../contract/index.ts';

/** The instruction of a run. A foreign sender's member of that name is none. */
export function instructionOf({ input, origin }: Pick<RunIdentity, 'input' | 'origin'>): JsonValue | undefined {
  return origin?.body === undefined ? input.instruction : undefined;
}

/** The input to be passed on as JSON, with all digits of its numbers: for `JSON.stringify` alone. */
export function exactInput({
  input,
  exactInput: exact = input,
}: Pick<RunIdentity, 'input' | 'exactInput'>): JsonObject {
  return exact;
}

/** The same without the members that the gateway adds or acts on; of a foreign sender's body, all of it. */
export function sentMembers(run: Pick<RunIdentity, 'input' | 'exactInput' | 'origin'>): JsonObject {
  const input = exactInput(run);
  if (run.origin?.body !== undefined) return input;
  const { environment: _, language: __, sessionId: ___, ...rest } = input;
  return rest;
}
