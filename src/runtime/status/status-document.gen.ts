// Generated from schemas/source/status.schema.json by schemas/generate.ts. Do not edit.

/**
 * The output of `pullcord status --json`, and of `GET /status` on the admin listener: what an operator looks at first. Members may be added; none is removed or gets another meaning.
 */
export interface StatusDocument {
  /**
   * When it was looked up, in UTC.
   */
  at: string;
  /**
   * The organization of the config.
   */
  organization: string;
  /**
   * The node that answered. Null: no gateway did, and the store was read.
   */
  node: string | null;
  /**
   * The nodes that share the engine, sorted by name.
   */
  nodes: StatusNode[];
  /**
   * The config that serves; without a gateway, the one on disk.
   */
  config: {
    /**
     * Its revision.
     */
    revision: string;
    /**
     * The commit that its files are those of, byte for byte. Null: there is none.
     */
    gitCommit: string | null;
    /**
     * Whether its files differ from the commit that is checked out. Null: git did not say.
     */
    dirty: boolean | null;
    /**
     * Since when it serves, in UTC. Null: no gateway answered.
     */
    loadedAt: string | null;
  };
  /**
   * How many commits the one that serves is behind. Null in `GET /status`, and where the command does not run beside the work tree of the config.
   */
  behind: null | StatusBehind;
  /**
   * The last attempt to load the config. Null: no gateway answered.
   */
  lastReload: null | StatusReload;
  /**
   * Runs that have not ended.
   */
  queue: {
    /**
     * How many wait.
     */
    queued: number;
    /**
     * How many are executed, by all nodes.
     */
    running: number;
    /**
     * When the one was accepted that has waited for the longest time, to the second, in UTC. Null: none waits.
     */
    oldestQueuedAt: string | null;
  };
  /**
   * What has arrived within the last hour.
   */
  lastHour: {
    /**
     * How many runs were accepted, by the state in which they are now.
     */
    runs: {
      [k: string]: number;
    };
    /**
     * Whether there were more runs or requests than are counted: then these are the latest.
     */
    isPartial: boolean;
    /**
     * The share of failed runs among those that have ended, cancelled ones apart: 0 to 1. Null: none has ended.
     */
    failedShare: number | null;
    /**
     * The triggers with the most failed runs.
     */
    failing: StatusFailing[];
    /**
     * Recorded requests that were not accepted. Null: the engine keeps none.
     */
    requests: null | StatusRequests;
  };
  /**
   * Memory for bodies, inputs and outputs, as the gateway estimates it. Null: no gateway answered.
   */
  memory: null | StatusMemory;
  /**
   * Triggers whose queues are held because their agents are down, as `project/key`.
   */
  openCircuits: string[];
  /**
   * Secrets of API keys that end within 30 days, the first to end first. Those that have ended are not among them.
   */
  expiringKeys: StatusKey[];
  /**
   * Alerts that are configured and not quiet.
   */
  alerts: StatusAlert[];
  /**
   * What needs attention, in words: the command exits with 1 unless it is empty.
   */
  attention: string[];
}
/**
 * A node: a gateway process.
 */
export interface StatusNode {
  /**
   * What it is called.
   */
  name: string;
  /**
   * The version of Pullcord.
   */
  version: string;
  /**
   * The revision that it serves.
   */
  revision: string;
  /**
   * How many runs it executes.
   */
  running: number;
  /**
   * Whether it serves the newest revision, with the same keys as the others.
   */
  isCurrent: boolean;
}
export interface StatusBehind {
  /**
   * Behind the commit that is checked out. Null: the work tree does not have the commit that serves.
   */
  head: number | null;
  /**
   * Behind the upstream branch, as it was last fetched. Null: there is none.
   */
  upstream: number | null;
}
export interface StatusReload {
  /**
   * When, in UTC.
   */
  at: string;
  /**
   * Whether the files, as they were found, serve.
   */
  ok: boolean;
  /**
   * What became of it. `reverted`: the files that were refused are those of the serving revision again.
   */
  outcome: 'accepted' | 'reverted' | 'rejected' | 'abandoned';
  /**
   * The first problem, with its place. Null: there is none.
   */
  problem: string | null;
  /**
   * Since when the files on disk are refused, in UTC. Null: they are not.
   */
  refusedSince: string | null;
}
export interface StatusFailing {
  /**
   * As `project/key`.
   */
  trigger: string;
  /**
   * How many of its runs have failed.
   */
  failed: number;
  /**
   * How many it had.
   */
  runs: number;
  /**
   * Of the latest that failed.
   */
  error: string | null;
}
export interface StatusRequests {
  /**
   * Dropped by a filter.
   */
  dropped: number;
  /**
   * Refused by a limit.
   */
  limited: number;
  /**
   * Refused because there was no room.
   */
  unavailable: number;
}
export interface StatusMemory {
  /**
   * What is held.
   */
  heldBytes: number;
  /**
   * The most that may be held: `server.memory`.
   */
  limitBytes: number;
}
export interface StatusKey {
  /**
   * The id of the key.
   */
  id: string;
  /**
   * Which of its secrets, counted from 0.
   */
  secret: number;
  /**
   * When it ends, in UTC.
   */
  expiresAt: string;
}
export interface StatusAlert {
  /**
   * What it is called.
   */
  name: string;
  /**
   * What it is in, e.g. `firing`.
   */
  state: string;
  /**
   * Since when, in UTC.
   */
  since: string;
  /**
   * What happened.
   */
  message: string;
}
