import type { RequestReads } from '../contract/index.ts';
import type { RehearsedRequest } from './rehearsal.ts';

/**
 * Returns the parts of a request that these readers read and that were not recorded, in words.
 * @param recordedClaims names of claims that would have been recorded if the caller had had them
 */
export function missingParts(
  { origin = {} }: Pick<RehearsedRequest, 'origin'>,
  readers: readonly (RequestReads | undefined)[],
  recordedClaims?: readonly string[],
): readonly string[] {
  const { query, event, claims } = origin;
  const isUnknown = (name: string) =>
    claims === undefined ||
    (recordedClaims !== undefined && !recordedClaims.includes(name) && !Object.hasOwn(claims, name));
  return [
    ...(readers.some((reads) => reads?.claims?.some(isUnknown)) ? ["the caller's claims"] : []),
    ...(event === undefined && readers.some((reads) => reads?.event) ? ['the event'] : []),
    ...(query === undefined && readers.some((reads) => reads?.query) ? ['the query'] : []),
  ];
}
