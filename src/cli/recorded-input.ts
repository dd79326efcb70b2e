import type { JsonObject, RunOrigin } from '../contract/index.ts';
import type { RehearsedRequest } from '../review/rehearsal.ts';
import type { GatewayAccess } from './access.ts';
import { AccessError } from './access-error.ts';

/** A request that a gateway keeps, and what its recording says about the config that decided. */
export interface FoundRecording {
  readonly request: RehearsedRequest;
  /** Whether the request itself was recorded, and not only the input of its run. */
  readonly isRecorded: boolean;
  readonly revision: string | undefined;
  readonly gitCommit: string | undefined;
  readonly isDirty: boolean | undefined;
  /** How its run ended, in words; undefined: it had none, or the run is not over or no longer kept. */
  readonly ending: string | undefined;
}

/**
 * Finds a request by its id, by that of its run, or by the `X-Request-Id` of its answer. Throws an AccessError if nothing of
 * it is kept.
 */
export async function findRecorded(
  access: GatewayAccess,
  id: string,
  { run, request }: { readonly run?: string; readonly request?: string },
): Promise<FoundRecording> {
  const recorded = run === undefined ? await recordedRequest(access, id) : undefined;
  if (recorded !== undefined) return { ...recorded, ending: await endingOf(access, recorded.runId) };
  if (request !== undefined) {
    throw new AccessError(`recorded request ${id} not found; it may be past its retention`);
  }
  return runIn(access, run === undefined ? ((await runOfRequest(access, id)) ?? id) : id);
}

async function runOfRequest({ runs }: GatewayAccess, requestId: string): Promise<string | undefined> {
  const listed = await runs.list({ request: requestId, limit: '1' });
  const [latest] = listed.ok ? listed.runs : [];
  return latest && String(latest.runId);
}

/** A run, as the request that it came from: as it was recorded, or else as the input of the run. */
async function runIn(access: GatewayAccess, id: string): Promise<FoundRecording> {
  const { runs } = access;
  const run = await runs.show(id);
  if (run === undefined) throw new AccessError(`no run or recorded request ${id} found; it may be past its retention`);
  const { requestId, revision } = run;
  const recorded = typeof requestId === 'string' ? await recordedRequest(access, requestId) : undefined;
  const ending = endingIn(id, run);
  if (recorded?.runId === id) return { ...recorded, ending };
  if (run.input === undefined) throw new AccessError(`the input of run ${id} was not stored`);
  // Written by `detailRun`; runs of earlier versions have none.
  const origin = run.origin as RunOrigin | undefined;
  const request = {
    project: String(run.project),
    trigger: String(run.trigger),
    caller: String(run.caller),
    receivedAt: Date.parse(String(run.acceptedAt)),
    headers: jsonHeaders(origin),
    ip: origin?.request.ip ?? '127.0.0.1',
    origin: origin && { query: origin.request.query, event: origin.event, claims: origin.caller.claims },
    bodyText: origin?.body?.text ?? JSON.stringify(run.input),
  };
  const unknown = { gitCommit: undefined, isDirty: undefined };
  const known = { request, isRecorded: false, ending };
  return { ...known, revision: typeof revision === 'string' ? revision : undefined, ...unknown };
}

async function endingOf({ runs }: GatewayAccess, runId: string | undefined): Promise<string | undefined> {
  const run = runId === undefined ? undefined : await runs.show(runId);
  return runId === undefined || run === undefined ? undefined : endingIn(runId, run);
}

/** Only of a run that did not succeed: what the stages decide does not show why. */
function endingIn(id: string, { state, error }: JsonObject): string | undefined {
  if (state !== 'failed' && state !== 'cancelled') return undefined;
  // Written by `detailRun`.
  const { message } = (error ?? {}) as { readonly message?: string };
  const reason = message === undefined ? '' : `: ${message}`;
  return `its run ${id} ${state === 'failed' ? 'has failed' : 'was cancelled'}${reason} (\`pullcord runs show ${id}\`)`;
}

/** The input is kept as JSON, whatever the format of the body was. */
function jsonHeaders(origin: RunOrigin | undefined): Record<string, string> {
  const { 'content-type': type, ...headers } = origin?.request.headers ?? {};
  return type === undefined ? headers : { ...headers, 'content-type': 'application/json' };
}

/** A recorded request as received, and the id of its run; undefined if there is none. */
async function recordedRequest(
  { requests }: GatewayAccess,
  id: string,
): Promise<(Omit<FoundRecording, 'ending'> & { readonly runId: string | undefined }) | undefined> {
  const found = await requests.show(id);
  if (found === undefined) return undefined;
  const [{ requestOfLine }, { triableRequest }] = await Promise.all([
    import('../review/request-source.ts'),
    import('../review/recorded-requests.ts'),
  ]);
  const { runId, revision, gitCommit, dirty } = found;
  const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    request: triableRequest(requestOfLine(JSON.stringify(found), id)),
    isRecorded: true,
    runId: textOf(runId),
    revision: textOf(revision),
    gitCommit: textOf(gitCommit),
    isDirty: typeof dirty === 'boolean' ? dirty : undefined,
  };
}
