import type { Payload } from 'altcha-lib';

/** A payload has some 700 characters; the names of a project and of an origin make it longer. */
const longest = 4096;
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Reads what ALTCHA sends: base64 of a challenge and its solution, as JSON. Undefined if it is something else. */
export function payloadIn(sent: string): Payload | undefined {
  if (sent.length > longest || !base64.test(sent)) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(sent, 'base64').toString());
    return isPayload(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}

/** Of the parameters only what is read before the signature shows that they are those of a challenge. */
function isPayload(value: unknown): value is Payload {
  if (!isRecord(value) || !isRecord(value.challenge) || !isRecord(value.solution)) return false;
  const { challenge, solution } = value;
  if (!isRecord(challenge.parameters)) return false;
  const { expiresAt } = challenge.parameters;
  return (
    (expiresAt === undefined || typeof expiresAt === 'number') &&
    typeof challenge.signature === 'string' &&
    typeof solution.counter === 'number' &&
    typeof solution.derivedKey === 'string'
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
