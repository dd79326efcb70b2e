// Generated from schemas/source/nodes.schema.json by schemas/generate.ts. Do not edit.

/**
 * Until when its runs are its own, unless it renews the lease. Null: the engine is not shared.
 */
export type LeaseDocument = {
  /**
   * When it ends, in UTC, by the clock of the database.
   */
  endsAt: string;
  /**
   * In how many seconds, by the clock of the node that answered. 0: its runs are about to go to other nodes.
   */
  endsInSeconds: number;
} | null;

/**
 * The output of `pullcord nodes --json`, and of `GET /nodes` on the admin listener: the nodes that share an engine. With an engine that only one process uses, there is one node. Members may be added; none is removed or gets another meaning.
 */
export interface NodesDocument {
  /**
   * The nodes, sorted by name. One that was killed is among them until its lease has ended.
   */
  nodes: NodeDocument[];
  /**
   * How many runs wait, for whichever node. It may be counted only up to a bound.
   */
  queued: number;
}
/**
 * A node: a gateway process.
 */
export interface NodeDocument {
  /**
   * The value of `PULLCORD_NODE`, or else host name and process id.
   */
  name: string;
  /**
   * The version of Pullcord.
   */
  version: string;
  /**
   * When it started, in UTC.
   */
  startedAt: string;
  /**
   * The revision of the config that it serves.
   */
  revision: string;
  /**
   * The commit that its config files are those of, byte for byte. Null: there is none.
   */
  gitCommit: string | null;
  /**
   * Whether its config files differ from the commit that is checked out. Null: git did not say.
   */
  dirty: boolean | null;
  /**
   * Since when it serves this revision, in UTC.
   */
  since: string;
  /**
   * How many runs it executes.
   */
  running: number;
  /**
   * The end of the id of its life, which is another one after a restart or after its lease has ended. Null: the engine is not shared.
   */
  life: string | null;
  lease: LeaseDocument;
  /**
   * Whether it is the node that answered. In the output of the command it may be that no node is: when the engine was read without a gateway.
   */
  this: boolean;
  /**
   * Whether it serves the revision that a node was the last to begin with.
   */
  hasNewestRevision: boolean;
  /**
   * Whether the secrets that sign its tokens, challenges and completion addresses differ from those of the node that answered: each refuses what the other signs.
   */
  keysDiffer: boolean;
}
