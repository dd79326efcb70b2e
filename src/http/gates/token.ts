import { type MaybePromise, problem, type Reply } from '../../contract/index.ts';
import { readTokenRequest } from '../../runtime/token-request.ts';
import type { Call } from '../call.ts';
import { issueToken } from './issue-token.ts';
import { invalidMembers, readJson } from './read-json.ts';

/**
 * `POST …/trigger/:key/token`: a server key issues a short-lived token that fires this trigger alone, bound to what the
 * body names.
 */
export function token(call: Call): MaybePromise<Reply | undefined> {
  return call.route.kind === 'token' ? issue(call) : undefined;
}

async function issue(call: Call): Promise<Reply> {
  const { trigger, principal } = call.admission;
  const { tokens } = call.snapshot;
  const { id: key, secretId } = principal;
  // A caller that is no key cannot end, and what it has issued neither.
  if (secretId === undefined) return forbidden(call, 'the caller is no API key');
  if (tokens === undefined) {
    call.reason = '`tokens` is not configured in gateway.yaml';
    return problem('tokens_not_configured');
  }
  const body = await readJson(call, 'known');
  if (body.kind === 'refused') return body.reply;
  const now = Date.now();
  const request = readTokenRequest(body.members, principal, trigger);
  if (request.kind === 'forbidden') return forbidden(call, 'the token would allow what its key may not do');
  if (request.kind === 'invalid') return invalidMembers(request.errors);
  const { expiresInMs, bound } = request;
  return issueToken(tokens, { key, secretId, trigger: trigger.id, expiresAt: now + expiresInMs, ...bound }, now);
}

function forbidden(call: Call, reason: string): Reply {
  call.reason = reason;
  return problem('forbidden');
}
