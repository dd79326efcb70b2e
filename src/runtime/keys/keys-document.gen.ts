// Generated from schemas/source/keys.schema.json by schemas/generate.ts. Do not edit.

/**
 * The answer of `GET /keys` on the admin listener: the API keys of the serving config and the tokens of the admin listener, without secrets and hashes. Members may be added; none is removed or gets another meaning.
 */
export interface KeysDocument {
  /**
   * The node that answers: it knows of its own requests only.
   */
  node: string;
  /**
   * When it started, in UTC: what was used before is not known.
   */
  since: string;
  /**
   * The API keys, sorted by id.
   */
  keys: KeyDocument[];
  /**
   * The tokens of the admin listener, without `admin.token`.
   */
  adminTokens: AdminTokenDocument[];
}
/**
 * An API key.
 */
export interface KeyDocument {
  /**
   * Its id.
   */
  id: string;
  /**
   * `browser`: it is made to be public.
   */
  use: 'server' | 'browser';
  /**
   * Its status, as it is declared.
   */
  status: 'active' | 'revoked';
  /**
   * What it may do.
   */
  permissions: string[];
  /**
   * In which projects, or `*` for all of them.
   */
  projects: string[];
  /**
   * Which triggers of these it may fire, as `project/key`. Absent: all of them.
   */
  triggers?: string[];
  /**
   * The origins of pages from which it may be used. Absent: from anywhere.
   */
  origins?: string[];
  /**
   * Its secrets, in the order of the file.
   */
  secrets: KeySecretDocument[];
  /**
   * The names of its own limits.
   */
  limits: string[];
  /**
   * Where it is declared: `file:line`.
   */
  provenance: string;
  /**
   * When a request came with one of its secrets last, in UTC. Null: none since this node started.
   */
  lastUsedAt: string | null;
}
/**
 * A secret of an API key.
 */
export interface KeySecretDocument {
  /**
   * Its note, or else its place.
   */
  name: string;
  /**
   * When it expires, in UTC. Null: never.
   */
  expiresAt: string | null;
  /**
   * When a request came with it last, in UTC. Null: none since this node started.
   */
  lastUsedAt: string | null;
}
/**
 * A token of the admin listener.
 */
export interface AdminTokenDocument {
  /**
   * Its id.
   */
  id: string;
  /**
   * What it may do; `operate` includes `read`.
   */
  role: 'read' | 'operate';
  /**
   * When it expires, in UTC. Null: never.
   */
  expiresAt: string | null;
  /**
   * Where it is declared: `file:line`.
   */
  provenance: string;
}
