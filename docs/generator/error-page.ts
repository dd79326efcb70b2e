import { type ProblemCode, problemCodes } from '../../src/contract/index.ts';
import { page, table } from './markdown.ts';

/** Members of a code's reply in addition to those that all have. */
const members: Readonly<Partial<Record<ProblemCode, string>>> = {
  filtered: '`filter`',
  filter_error: '`filter`, unless dedup was the reason',
  duplicate: '`runId`, `statusUrl` of the first request',
  invalid_body: '`errors`: a list of `pointer` and `message`',
  wait_timeout: '`runId`, `statusUrl`',
  run_failed: '`runId`, `statusUrl`',
  run_cancelled: '`runId`, `statusUrl`',
};

export function errorPage(): string {
  const rows = Object.entries(problemCodes).map(([code, { status, detail }]) => [
    `\`${code}\``,
    String(status),
    detail,
    isProblemCode(code) ? (members[code] ?? '') : '',
  ]);
  return page(
    'src/contract/problem.ts',
    '# Error codes',
    'Every error is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `code` and `requestId`. Programs match on `code`: it is never renamed and never gets another meaning. `detail` is for people and may change. Quote `requestId` when you ask the operator of the gateway.',
    'A 4xx or 5xx other than `wait_timeout`, `run_failed` and `run_cancelled` means that nothing was stored; after `internal_error` it is unknown whether the request was accepted.',
    table(['`code`', 'Status', 'Meaning', 'More members'], rows),
  );
}

function isProblemCode(code: string): code is ProblemCode {
  return code in problemCodes;
}
