import { type JsonObject, type ProblemCode, problem, type Reply } from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';
import type { RefusedVerdict } from '../runtime/verdict.ts';
import type { Call } from './call.ts';

/** Answers a request that does not get past a gate or a step, and says what is to be counted. */
export function refuse(
  call: Call,
  verdict: RefusedVerdict,
  trigger?: LiveTrigger,
  members?: JsonObject,
  headers = headersByCode[verdict.code],
): Reply {
  call.verdict = verdict;
  call.trigger = trigger;
  return problem(verdict.code, members, headers);
}

const headersByCode: Partial<Record<ProblemCode, Record<string, string>>> = {
  unauthorized: { 'www-authenticate': 'Bearer, ApiKey' },
  unavailable: { 'retry-after': '5' },
};
