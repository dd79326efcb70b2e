import type { RequestReads } from '../src/contract/index.ts';
import type { FilterExpression } from '../src/filter/index.ts';
import type { Readable } from './request-bindings.ts';

/** What an expression over a request may read in addition to the body, as far as its source shows. */
export function readsOf({ variables }: FilterExpression, source: string, { headers, claims }: Readable): RequestReads {
  const reads = (variable: string, member: string) => variables.has(variable) && mayRead(source, variable, member);
  return {
    headers: variables.has('request') ? headers : [],
    address: reads('request', 'ip'),
    query: reads('request', 'query'),
    event: variables.has('event'),
    // Filters also read `$key`, the original name of `$caller`.
    claims: reads('caller', 'claims') || reads('key', 'claims') ? claims : [],
  };
}

/** Unless the variable is only used to read another member of it. */
function mayRead(source: string, variable: string, member: string): boolean {
  return new RegExp(`\\b${member}\\b|[$]${variable}(?!\\s*\\.\\s*[A-Za-z])`).test(source);
}
