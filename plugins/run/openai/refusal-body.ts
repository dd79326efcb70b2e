import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { memberOf, textAt } from './member.ts';

/** What of an error, and of the headers beside it, says anything to the gateway. */
const members = ['code', 'type', 'param', 'message'];
const headerNames = ['retry-after', 'x-should-retry'];

/** More is no code and names no id. */
const longestText = 4096;

/**
 * The same refusal with no more in it than the gateway makes use of: the client makes words of all that a body holds, by
 * a recursion that a deep one breaks.
 */
export async function plainRefusal(response: Response): Promise<Response> {
  const { status, headers } = response;
  // The status says enough where the body is cut off.
  const text = await response.text().catch(() => '');
  const parsed = parseAgentJson(text);
  const error = parsed.ok ? memberOf(parsed.value, 'error') : undefined;
  const told = members.map((name) => [name, textAt(error, name).slice(0, longestText)]);
  const kept = headerNames.map((name) => [name, headers.get(name) ?? '']).filter(([, value]) => value !== '');
  const body = response.body === null ? null : JSON.stringify({ error: Object.fromEntries(told) });
  return new Response(body, { status, headers: Object.fromEntries(kept) });
}
