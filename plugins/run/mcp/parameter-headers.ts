import type { JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { membersOf } from '../../../src/run-kit/index.ts';

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Returns the headers that repeat arguments of a tool, so that proxies can route by them: `x-mcp-header` in its input
 * schema names them (revision 2026-07-28).
 */
export function parameterHeaders(
  inputSchema: JsonValue | undefined,
  toolArguments: JsonObject,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, property] of Object.entries(membersOf(membersOf(inputSchema).properties))) {
    const value = Object.hasOwn(toolArguments, name) ? toolArguments[name] : undefined;
    const { 'x-mcp-header': header } = membersOf(property);
    if (typeof header === 'string' && token.test(header) && /^(?:string|number|boolean)$/.test(typeof value)) {
      headers[`mcp-param-${header.toLowerCase()}`] = headerValue(String(value));
    }
    Object.assign(headers, parameterHeaders(property, membersOf(value)));
  }
  return headers;
}

/** Text that a header cannot carry is sent as base64 (revision 2026-07-28). */
export function headerValue(text: string): string {
  const isPlain = /^[\t\x20-\x7e]+$/.test(text) && text === text.trim() && !text.startsWith('=?base64?');
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
