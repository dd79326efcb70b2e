import type { RehearsedRequest } from '../review/rehearsal.ts';
import { AccessError, accessRuns } from './runs-access.ts';
import { terminal } from './terminal.ts';

export interface Access {
  readonly config: string;
  readonly url: string | undefined;
}

/** The input of a recorded run as the request that it came from; undefined with the reason told. */
export async function recordedRun(id: string, { config, url }: Access): Promise<RehearsedRequest | undefined> {
  const access = await accessRuns(config, url).catch(toWords);
  if (access === undefined) return undefined;
  try {
    const run = await access.show(id);
    if (run === undefined) return toWords(new AccessError(`there is no run ${id}, or it is no longer kept`));
    if (run.input === undefined) return toWords(new AccessError(`the input of run ${id} was not kept`));
    return {
      project: String(run.project),
      trigger: String(run.trigger),
      caller: String(run.key),
      receivedAt: Date.parse(String(run.acceptedAt)),
      headers: {},
      ip: '127.0.0.1',
      bodyText: JSON.stringify(run.input),
    };
  } finally {
    await access.close();
  }
}

/** A recorded request as it came; undefined with the reason told. */
export async function recordedRequest(id: string, access: Access): Promise<RehearsedRequest | undefined> {
  throw new Error(`not yet: ${id} ${access.config}`);
}

function toWords(error: unknown): undefined {
  if (!(error instanceof AccessError)) throw error;
  terminal.words(`error: ${error.message}`);
}
