import { type JsonObject, type MaybePromise, problem, type Reply } from '../../contract/index.ts';
import { parseTriggerBody } from '../../runtime/body/trigger-body.ts';
import { readTokenRequest } from '../../runtime/token-request.ts';
import type { Call } from '../call.ts';
import { refusalOf } from '../read-body.ts';
import { acceptance, describeBody } from '../steps/request-body.ts';

/** The longest token: servers and proxies limit headers, many of them to 8 KiB. */
const longestToken = 4096;

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
  // A caller that is no key cannot end, and what it has issued neither.
  if (principal.secretId === undefined) return problem('forbidden');
  if (tokens === undefined) return problem('tokens_not_configured');
  const body = await bodyOf(call);
  if (body.kind === 'refused') return body.reply;
  const now = Date.now();
  const request = readTokenRequest(body.members, principal, trigger);
  if (request.kind === 'forbidden') return problem('forbidden');
  if (request.kind === 'invalid') return invalid(request.errors);
  const { expiresInMs, bound } = request;
  const expiresAt = now + expiresInMs;
  const issued = tokens.issue(
    { key: principal.id, secretId: principal.secretId, trigger: trigger.id, expiresAt, ...bound },
    now,
  );
  if (issued.length > longestToken) {
    return invalid([{ pointer: '', message: `the token would be longer than ${longestToken} characters` }]);
  }
  const answer = { token: issued, expiresAt: new Date(expiresAt).toISOString() };
  return { status: 200, headers: { 'cache-control': 'no-store' }, body: answer };
}

type Body =
  | { readonly kind: 'read'; readonly members: JsonObject }
  | { readonly kind: 'refused'; readonly reply: Reply };

async function bodyOf(call: Call): Promise<Body> {
  const described = describeBody(call.request.headers, ['json']);
  const sent = await call.readBody('known');
  if (!sent.ok) return refused(sent.why === 'no_memory' ? later : problem(refusalOf(sent.why).code));
  if (sent.bytes.length === 0) return { kind: 'read', members: {} };
  if (described.kind === 'unsupported' || described.codings.length > 0) {
    const { members, headers } = acceptance('type', ['json']);
    return refused(problem('unsupported_media_type', { ...members, detail: jsonOnly }, headers));
  }
  const rules = { fields: 'checked', jsonFields: [] } as const;
  const body = parseTriggerBody(sent.bytes, described.type, rules, (bytes) => call.hasRoom(bytes));
  if (body.kind === 'no_room') return refused(later);
  if (body.kind === 'refused') return refused(problem(body.code, body.members));
  return { kind: 'read', members: body.members };
}

const jsonOnly = 'The body must be JSON: Content-Type: application/json, without content encoding.';
const later: Reply = problem('unavailable', {}, { 'retry-after': '5' });

function refused(reply: Reply): Body {
  return { kind: 'refused', reply };
}

function invalid(errors: readonly { readonly pointer: string; readonly message: string }[]): Reply {
  return problem('invalid_body', { errors: errors.map((error) => ({ ...error })) });
}
