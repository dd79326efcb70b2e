import type { JsonObject } from '../../contract/index.ts';
import type { RecordedDetails, RecordedOrigin, RecordedRequest, RecordedRun } from '../../engine/types/index.ts';
import { viewOfCost } from '../run-view.ts';
import { parseLexically } from './lexical-json.ts';
import { isRecordedJson } from './recorded-body.ts';
import type { RecordedRequestDocument } from './recorded-request.gen.ts';

/** A recorded request without the members that its caller sent. */
export type RequestSummary = Omit<
  RecordedRequestDocument,
  'limits' | 'ip' | 'headers' | 'query' | 'event' | 'claims' | 'masked' | 'body' | 'text'
>;

/** A recorded request without what its caller sent; times are ISO 8601 in UTC. */
export function summarizeRequest(request: RecordedRequest): RequestSummary {
  const { id, receivedAt, project, trigger, caller, requestId, verdict, status, code, by, runId, run } = request;
  return {
    ...{ id, receivedAt: new Date(receivedAt).toISOString(), project, trigger, caller },
    ...(requestId !== undefined && { requestId }),
    ...{ verdict, status },
    ...(code !== undefined && { code }),
    ...(by !== undefined && { by }),
    ...(runId !== undefined && { runId }),
    ...(run !== undefined && { run: viewOfRun(run) }),
    revision: request.revision,
    provenance: request.provenance,
    ...summaryOf(request.details),
  };
}

/** Every request that an earlier version recorded is one of a sample. */
function summaryOf(
  recorded: RecordedDetails | undefined,
): Omit<RecordedDetails, 'limits' | 'rate'> & { rate?: number } {
  if (recorded === undefined) return { sampled: true };
  const { limits: _limits, ...details } = recorded;
  return details;
}

function viewOfRun({ state, durationMs, waitedMs, usage, cost }: RecordedRun) {
  return {
    ...{ status: state as NonNullable<RecordedRequestDocument['run']>['status'], durationMs, waitedMs },
    ...usage,
    ...(cost !== undefined && { cost: viewOfCost(cost) }),
  };
}

/**
 * Everything that is stored about a recorded request (schemas/source/recorded-request.schema.json). `masked` names what was
 * masked before it was stored.
 */
export function detailRequest(request: RecordedRequest) {
  const { ip, headers, origin, masked, bodyText, details } = request;
  return {
    ...summarizeRequest(request),
    ...(details?.limits !== undefined && { limits: details.limits.map((limit) => ({ ...limit })) }),
    ...{ ip, headers, ...(origin && documentOf(origin)), masked: [...masked] },
    // Every body of JSON that reached a filter is an object or a list.
    ...(bodyText !== undefined &&
      (isRecordedJson(request) ? { body: parseLexically(bodyText) as JsonObject } : { text: bodyText })),
  } satisfies RecordedRequestDocument;
}

function documentOf({ query, event, claims }: RecordedOrigin) {
  return { query, event, claims } as Pick<RecordedRequestDocument, 'query' | 'event' | 'claims'>;
}

/**
 * A recorded request as a line of an export (JSON Lines). Its body keeps its text except for whitespace. It is not parsed,
 * because it may be large and would block the event loop.
 */
export function exportLine(request: RecordedRequest): string {
  const { bodyText } = request;
  const head = JSON.stringify(detailRequest({ ...request, bodyText: undefined }));
  if (bodyText !== undefined && !isRecordedJson(request)) return `${JSON.stringify(detailRequest(request))}\n`;
  const line = bodyText === undefined ? head : `${head.slice(0, -1)},"body":${onOneLine(bodyText)}}`;
  return `${line}\n`;
}

/** JSON on one line: without whitespace between tokens, if any of it ends a line for some reader of JSON Lines. */
function onOneLine(text: string): string {
  const line = /[\r\n]/.test(text) ? text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g, '$1') : text;
  // These occur only inside strings.
  return line.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
