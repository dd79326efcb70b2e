import type { RunRequest } from '../../../src/contract/index.ts';
import { namedInLowerCase } from '../header-options.ts';

type Headers = Readonly<Record<string, string>>;

/** The headers of one request. By `idempotency-key`, the run's id, an agent can tell a repeated attempt. */
export function requestHeaders(run: RunRequest, configured: Headers): Record<string, string> {
  return {
    ...configured,
    'accept-encoding': 'identity',
    'idempotency-key': run.id,
    'pullcord-run-id': run.id,
    'pullcord-project': run.project,
    'pullcord-trigger': run.trigger,
    'pullcord-attempt': String(run.attempt),
  };
}

/** The headers of the options with names in lower case, and what is sent where they are silent. */
export function configuredHeaders(headers: Headers): Headers {
  return { accept: 'application/json, text/*;q=0.9', 'user-agent': 'pullcord', ...namedInLowerCase(headers) };
}
