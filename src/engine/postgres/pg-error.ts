import { EngineUnavailable } from '../types/index.ts';

/** Classes and codes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), for operators. */
const reasons: readonly (readonly [prefix: string, reason: string])[] = [
  ['08', 'the connection to the database was lost'],
  ['25006', 'the database is read-only: it may be a standby'],
  ['28', 'the database refuses the role or its password'],
  ['3D', 'the database does not exist'],
  ['3F', 'the schema does not exist'],
  ['40', 'the database has cancelled a transaction'],
  ['42501', 'the role has no right to do that'],
  ['42', 'the schema is not one of this version'],
  ['53100', 'the disk of the database is full'],
  ['53300', 'the database has no connection left'],
  ['53', 'the database has too few resources'],
  ['55', 'the database is busy'],
  ['57014', 'the database took too long'],
  ['57', 'the database is stopping or starting'],
  ['58', 'the database has failed'],
  ['XX', 'the database has failed'],
];

/** The SQLSTATE of an error of the server; undefined for any other. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** Whether a connection can be used after an error. Not one to a server that is no longer the primary, and is read-only. */
export function leavesConnection(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR' && sqlState(error) !== '25006';
}

/** Whether a step may simply be tried again: it has changed nothing, or its repetition finds what it has changed. */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error);
  // Serialization failure and deadlock.
  return state === '40001' || state === '40P01';
}

/** Whether the answer of the server was lost, so that nobody knows whether the step has been committed. */
export function isUnanswered(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || state.startsWith('08') || state.startsWith('57P');
}

/** Whether the server cannot store what it was given: data exceptions, broken constraints, and rows over its limits. */
export function isRefusal(error: unknown): boolean {
  return /^(?:2[23]|54)/.test(sqlState(error) ?? '');
}

/** What a failed step means; any error that is a bug of this engine, as it is. */
export function asUnavailable(error: unknown): unknown {
  const state = sqlState(error);
  if (EngineUnavailable.is(error)) return error;
  // Errors of the network and of the driver; never the address, which holds a password.
  if (state === undefined) return new EngineUnavailable(`the database cannot be reached (${networkReason(error)})`);
  const [, reason] = reasons.find(([prefix]) => state.startsWith(prefix)) ?? [];
  return reason === undefined ? error : new EngineUnavailable(`${reason} (SQLSTATE ${state})`);
}

function networkReason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return networkReason(error.errors[0]);
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
