import { Option } from 'commander';
import type { SourcedRequest } from '../review/request-source.ts';
import { counted } from '../review/words.ts';
import { AccessError } from './access-error.ts';
import { terminal, UsageError } from './terminal.ts';

/** `--requests SOURCE`, the same for every command that evaluates recorded requests. */
export function requestsOption(description: string): Option {
  return new Option(
    '--requests <source>',
    `${description}: a JSONL export, a journal, a folder of bodies, the URL of an admin listener, or - for stdin`,
  );
}

/**
 * Reads recorded requests; none if no source is given.
 * @param now when those arrive that are only bodies, milliseconds since the epoch
 */
export async function loadRequests(source: string | undefined, now = Date.now()): Promise<readonly SourcedRequest[]> {
  if (source === undefined) return [];
  const { readRequests, RequestSourceError } = await import('../review/request-source.ts');
  try {
    const requests = await readRequests(source, { token: process.env.PULLCORD_ADMIN_TOKEN, now });
    terminal.words(`${counted(requests.length, 'request')} read from ${source === '-' ? 'stdin' : source}`);
    return requests;
  } catch (error) {
    if (!(error instanceof RequestSourceError)) throw error;
    throw error.isOutOfReach ? new AccessError(error.message) : new UsageError(error.message);
  }
}
