import type { RunOrigin } from '../contract/index.ts';
import type { TriableRequest } from '../review/recorded-requests.ts';
import type { RehearsedRequest } from '../review/rehearsal.ts';
import type { GatewayAccess } from './access.ts';
import { AccessError } from './access-error.ts';

/** The input of a recorded run as the request that it came from. Throws an AccessError if it is not kept. */
export async function recordedRun({ runs }: GatewayAccess, id: string): Promise<RehearsedRequest> {
  const run = await runs.show(id);
  if (run === undefined) throw new AccessError(`no run or recorded request ${id} found; it may be past its retention`);
  if (run.input === undefined) throw new AccessError(`the input of run ${id} was not stored`);
  // Written by `detailRun`; runs of earlier versions have none.
  const origin = run.origin as RunOrigin | undefined;
  return {
    project: String(run.project),
    trigger: String(run.trigger),
    caller: String(run.caller),
    receivedAt: Date.parse(String(run.acceptedAt)),
    headers: jsonHeaders(origin),
    ip: origin?.request.ip ?? '127.0.0.1',
    origin: origin && { query: origin.request.query, event: origin.event, claims: origin.caller.claims },
    bodyText: origin?.body?.text ?? JSON.stringify(run.input),
  };
}

/** The input is kept as JSON, whatever the format of the body was. */
function jsonHeaders(origin: RunOrigin | undefined): Record<string, string> {
  const { 'content-type': type, ...headers } = origin?.request.headers ?? {};
  return type === undefined ? headers : { ...headers, 'content-type': 'application/json' };
}

/** A recorded request as received; undefined if there is none. */
export async function recordedRequest({ requests }: GatewayAccess, id: string): Promise<TriableRequest | undefined> {
  const found = await requests.show(id);
  if (found === undefined) return undefined;
  const [{ requestOfLine }, { triableRequest }] = await Promise.all([
    import('../review/request-source.ts'),
    import('../review/recorded-requests.ts'),
  ]);
  return triableRequest(requestOfLine(JSON.stringify(found), id));
}
