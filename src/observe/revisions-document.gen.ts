// Generated from schemas/source/revisions.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject } from '../contract/index.ts';

/**
 * The answer of `GET /revisions` on the admin listener: what one gateway process has served since it started, and what it has refused. Members may be added; none is removed or gets another meaning.
 */
export interface RevisionsDocument {
  /**
   * The node that answers: it knows of itself only.
   */
  node: string;
  /**
   * The revisions, the latest first, at most 20. The first one serves.
   */
  served: ServedRevision[];
  /**
   * Reloads that were refused or given up, the latest first, at most 50.
   */
  refused: RefusedReload[];
}
/**
 * A revision that served.
 */
export interface ServedRevision {
  /**
   * The revision.
   */
  revision: string;
  /**
   * The commit that its files are those of. Null: there is none.
   */
  gitCommit: string | null;
  /**
   * Whether its files differ from the commit that was checked out. Null: git did not say.
   */
  dirty: boolean | null;
  /**
   * Who made the commit; absent where git does not know it.
   */
  author?: string;
  /**
   * The first line of its message; absent where git does not know it.
   */
  subject?: string;
  /**
   * Since when it serves, in UTC.
   */
  servedFrom: string;
  /**
   * Until when, in UTC. Null: it serves now.
   */
  servedUntil: string | null;
  /**
   * Whether its files are still kept, so that `GET /plan` can compare it.
   */
  hasFiles: boolean;
}
/**
 * A reload that was refused.
 */
export interface RefusedReload {
  /**
   * When, in UTC.
   */
  at: string;
  /**
   * `abandoned`: its deadline had passed.
   */
  outcome: 'rejected' | 'abandoned';
  /**
   * The revision that was tried.
   */
  revision: string;
  /**
   * What is wrong, at most 20, as `pullcord validate --format json` has it.
   *
   * Items: A problem.
   */
  diagnostics: JsonObject[];
}
