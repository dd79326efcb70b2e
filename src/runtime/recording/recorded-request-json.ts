import type { JsonObject } from '../../contract/index.ts';
import type { RecordedRequest } from '../../engine/types/index.ts';
import { parseLexically } from './lexical-json.ts';
import type { RecordedRequestDocument } from './recorded-request.gen.ts';

/** What of a recorded request its caller did not send. */
export type RequestSummary = Omit<RecordedRequestDocument, 'ip' | 'headers' | 'masked' | 'body'>;

/** A recorded request without what its caller sent; times are ISO 8601 in UTC. */
export function summarizeRequest(request: RecordedRequest): RequestSummary {
  const { id, receivedAt, project, trigger, caller, verdict, status, code, by, runId } = request;
  return {
    ...{ id, receivedAt: new Date(receivedAt).toISOString(), project, trigger, caller, verdict, status },
    ...(code !== undefined && { code }),
    ...(by !== undefined && { by }),
    ...(runId !== undefined && { runId }),
    revision: request.revision,
    provenance: request.provenance,
  };
}

/**
 * All that is kept of a recorded request, as schemas/source/recorded-request.schema.json describes it. What was masked
 * before it was stored is named by `masked`.
 */
export function detailRequest(request: RecordedRequest) {
  const { ip, headers, masked, bodyText } = request;
  return {
    ...summarizeRequest(request),
    ...{ ip, headers, masked: [...masked] },
    // Only objects are bodies of requests that come to a filter.
    ...(bodyText !== undefined && { body: parseLexically(bodyText) as JsonObject }),
  } satisfies RecordedRequestDocument;
}

/**
 * A recorded request as a line of an export (JSON Lines). Its body stays as it was written but for blanks, and is not
 * parsed: it may be large, and requests wait meanwhile.
 */
export function exportLine(request: RecordedRequest): string {
  const { bodyText } = request;
  const head = JSON.stringify(detailRequest({ ...request, bodyText: undefined }));
  const line = bodyText === undefined ? head : `${head.slice(0, -1)},"body":${onOneLine(bodyText)}}`;
  return `${line}\n`;
}

/** JSON without the blanks between its parts where one of them ends a line, as some readers of lines see it. */
function onOneLine(text: string): string {
  const line = /[\r\n]/.test(text) ? text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g, '$1') : text;
  // Only strings hold these.
  return line.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
