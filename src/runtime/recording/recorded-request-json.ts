import type { JsonObject, RecordedRequest } from '../../contract/index.ts';
import { parseLexically } from './lexical-json.ts';

/** A recorded request without what its caller sent; times are ISO 8601 in UTC. */
export function summarizeRequest(request: RecordedRequest): JsonObject {
  const { id, receivedAt, project, trigger, principal, verdict, status, code, by, runId } = request;
  return {
    ...{ id, receivedAt: new Date(receivedAt).toISOString(), project, trigger, key: principal, verdict, status },
    ...(code !== undefined && { code }),
    ...(by !== undefined && { by }),
    ...(runId !== undefined && { runId }),
    revision: request.revision,
    provenance: request.provenance,
  };
}

/** All that is kept of a recorded request. What was masked before it was stored is named by `masked`. */
export function detailRequest(request: RecordedRequest): JsonObject {
  const { ip, headers, masked, bodyText } = request;
  return {
    ...summarizeRequest(request),
    ...{ ip, headers, masked },
    ...(bodyText !== undefined && { body: parseLexically(bodyText) }),
  };
}

/** A recorded request as a line of an export (JSON Lines). */
export function exportLine(request: RecordedRequest): string {
  return `${JSON.stringify(detailRequest(request))}\n`;
}
