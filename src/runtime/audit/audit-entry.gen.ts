// Generated from schemas/source/audit-entry.schema.json by schemas/generate.ts. Do not edit.

/**
 * A line of `pullcord audit export`, and an item of `pullcord audit list --json` and of `GET /audit` on the admin listener: what an operator did. Members may be added; none is removed or gets another meaning.
 */
export interface AuditEntryDocument {
  /**
   * The id of the entry.
   */
  id: string;
  /**
   * When the action was asked for, in UTC.
   */
  at: string;
  /**
   * Who asked for it: the id of a token of the admin listener, `loopback` if it requires none, or `cli:` and the user of the system, for a command on a store that no gateway serves.
   */
  actor: string;
  /**
   * The role of the token. Null: a command on a store.
   */
  role: string | null;
  /**
   * What was done: `runs.cancel`, `runs.replay`, `requests.fire`, `config.reload`, `limits.reset`, `alerts.test`. There may be others.
   */
  action: string;
  /**
   * What it was done to: the id of a run or of a recorded request, the id or the name of a limit, the name of the node that reloaded.
   */
  target: string | null;
  /**
   * The address of the client. Null: a command on a store.
   */
  ip: string | null;
  /**
   * The `X-Request-Id` of the answer. Null: a command on a store.
   */
  requestId: string | null;
  /**
   * `started`: its end is not known, because it is not over or the gateway died in between. `succeeded`. `failed`: it was tried, without success. `refused`: the role of the token was too small, and nothing was tried.
   */
  outcome: 'started' | 'succeeded' | 'failed' | 'refused';
  /**
   * Why it failed or was refused, as a code.
   */
  reason: string | null;
  /**
   * What was there before: the state of a run, what a limit had counted, the revision that served.
   */
  before: {
    [k: string]: unknown;
  } | null;
  /**
   * What was there after it: the state of a run, the id of the new run of a replay or of a fired request, the revision that serves.
   */
  after: {
    [k: string]: unknown;
  } | null;
  /**
   * When the outcome was known, in UTC. Null: it is not.
   */
  endedAt: string | null;
}
