import type { TriggerConfig } from '../config/model.ts';
import type { Dedup } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { AuthReviews } from './auth-reviews.ts';

/** What anonymous callers of a trigger share although it looks as if each had its own: all of them are one caller. */
export function anonymousSharing(
  config: TriggerConfig,
  dedup: Dedup | undefined,
  reviews: AuthReviews,
): readonly Problem[] {
  const open = config.auth.find((use) => reviews.get(use)?.callers.kind === 'anyone');
  if (open === undefined) return [];
  return [...sharedSessions(config, open.uses), ...sharedOutputs(config, dedup, open.uses)];
}

/** Only where sessions are declared: whether the agent keeps any is not known otherwise. */
function sharedSessions({ sessions: { scope, place }, place: ownPlace }: TriggerConfig, auth: string): Problem[] {
  if (place === undefined || scope === 'trigger') return [];
  const message = `all callers that auth \`${auth}\` lets in are one caller: any of them that knows a sessionId continues its conversation`;
  const hint = 'Identify callers by another auth plugin, or confirm it with `sessions: { scope: trigger }`.';
  const isOwn = place.file === ownPlace.file;
  return [{ code: 'anonymous_sessions', severity: 'warning', message, hint, place: isOwn ? place : ownPlace }];
}

/** A fingerprint of a whole body cannot be guessed without the body; a header that callers choose can. */
function sharedOutputs({ respond }: TriggerConfig, dedup: Dedup | undefined, auth: string): Problem[] {
  const header = dedup?.reads?.headers[0];
  if (header === undefined || respond.with.duplicate !== 'first') return [];
  const message = `any caller that auth \`${auth}\` lets in and that guesses the header ${header} gets the output of another's run`;
  const hint = 'Identify callers by another auth plugin, or remove `duplicate: first`.';
  return [{ code: 'anonymous_duplicates', severity: 'warning', message, hint, place: respond.place }];
}
