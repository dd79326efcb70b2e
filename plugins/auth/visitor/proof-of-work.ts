import { createChallenge, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/sha';
import type { Redemption, VisitingPage, Visitors } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import { payloadIn } from './payload.ts';

/**
 * Challenges by proof of work, as ALTCHA defines them. Nothing is stored: a challenge is signed, names its page and its trigger,
 * and ends with the token that it earns. Making and verifying one takes a few hashes, so that a flood of either is cheap.
 * @param secrets at least one, the one that signs first
 */
export function proofOfWork({ work, expiresIn, uses, id: key }: Options, secrets: readonly string[]): Visitors {
  const difficulty = { algorithm: 'SHA-256', deriveKey, ...difficultyOf(work) };
  const [signing = ''] = secrets;
  return {
    id: key,
    async challenge({ origin, trigger, receivedAt }) {
      const expiresAt = Math.ceil((receivedAt + expiresIn) / 1000);
      const data = { origin, trigger };
      const { parameters, signature = '' } = await createChallenge({
        ...difficulty,
        ...{ data, expiresAt, hmacSignatureSecret: signing },
      });
      return { parameters: { ...parameters }, signature };
    },
    async redeem(page, sent) {
      const payload = payloadIn(sent);
      if (payload === undefined) return malformed;
      const { challenge, solution } = payload;
      for (const hmacSignatureSecret of secrets) {
        const judged = await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret });
        if (judged.expired) return expired;
        if (judged.invalidSignature) continue;
        const { data, expiresAt = 0 } = challenge.parameters;
        if (!judged.verified) return wrong;
        if (!isFor(page, data)) return foreign;
        return { kind: 'earned', claims: { id: idOf(challenge.signature), key, expiresAt: expiresAt * 1000, uses } };
      }
      return forged;
    },
  };
}

const malformed: Redemption = { kind: 'malformed', message: 'must be base64 of an ALTCHA payload' };
const expired = rejectedAs('expired challenge');
const wrong = rejectedAs('wrong solution of a challenge');
const foreign = rejectedAs('challenge of another trigger or origin');
const forged = rejectedAs('unknown challenge');

function rejectedAs(reason: string): Redemption {
  return Object.freeze({ kind: 'rejected', reason });
}

function isFor({ origin, trigger }: VisitingPage, data: Readonly<Record<string, unknown>> | undefined): boolean {
  return data?.origin === origin && data.trigger === trigger;
}

/**
 * Follows from the challenge: a page that redeems it again gets a token with the same id, whose runs are counted with those
 * of the first. 128 bits of the signature.
 */
function idOf(signature = ''): string {
  return `visitor-${signature.slice(0, 32)}`;
}

/**
 * How a number of hashes is asked for: a key must begin with some zeros in hex, and each attempt takes `cost` hashes. Verifying
 * takes as many, so that the zeros make up most of the work.
 */
function difficultyOf(work: number): { readonly keyPrefix: string; readonly cost: number } {
  const digits = Math.floor(Math.log2(work) / 4);
  return { keyPrefix: '0'.repeat(digits), cost: Math.round(work / 16 ** digits) };
}
