import { hash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { basicFiles, gatewayFile } from './config-folder.ts';

export interface AdminAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail if it is not there.
  readonly body: any;
}

/** Sends the headers as they are, which `fetch` does not. */
export async function askAdmin(
  adminUrl: string,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
): Promise<AdminAnswer> {
  const sent = request(`${adminUrl}${path}`, { method, headers, agent: false }).end();
  const [response] = await once(sent, 'response');
  const body = await text(response);
  const isJson = /json(;|$)/.test(response.headers['content-type'] ?? '');
  return {
    status: response.statusCode,
    headers: response.headers,
    text: body,
    body: isJson && body !== '' ? JSON.parse(body) : undefined,
  };
}

/** A token as the files declare it. */
export function adminToken(id: string, role: 'read' | 'operate', more: object = {}) {
  const secret = `pca_${id}_token_of_the_tests`;
  return { secret, declared: { id, role, hash: `sha256:${hash('sha256', secret)}`, ...more } };
}

/** A config whose admin listener requires a token, and one with the role `operate`. */
export function tokenGateway(admin: object = {}): { secret: string; gateway: Record<string, string> } {
  const { secret, declared } = adminToken('ops', 'operate');
  return {
    secret,
    gateway: { ...basicFiles(), 'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [declared], ...admin } }) },
  };
}
