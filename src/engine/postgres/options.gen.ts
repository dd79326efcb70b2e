// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the postgres engine: its database, and its limits. Nodes that share a database share all that they keep. `recording` limits recorded requests.
 */
export interface Options {
  /**
   * The address of the database, a URL like postgres://user:password@host:5432/database. It must lead to the primary, directly or through a pooler in session mode.
   */
  url: string;
  /**
   * The schema that holds the tables. It is created if missing. Gateways of one organization share one; others use another.
   */
  schema: string;
  /**
   * How many connections a node opens at most, in addition to one for its lease and for notifications.
   */
  pool: number;
  /**
   * After how long without a sign of life a node counts as dead, and others execute its runs. A node that cannot reach the database for this long stops executing. In milliseconds.
   */
  lease: number;
  /**
   * What a node does with the runs that it executes when it cannot renew its lease in time. `abort`: it aborts them, so that none is executed twice at once. `continue`: it lets them run on until the database is back, although other nodes may have begun them again.
   */
  onPartition: 'abort' | 'continue';
  /**
   * How many runs a node executes at once.
   */
  concurrency: number;
  /**
   * How many runs of all nodes together may wait to be executed. Further requests are answered 503 (backpressure).
   */
  maxQueued: number;
  /**
   * A run fails when the node that executed it has died this many times in a row. Its dedup claim is released. Stopping a node does not count.
   */
  maxInterruptions: number;
  /**
   * The retention of finished runs; the run that finished first is deleted first. A dedup claim lasts as long as its own window.
   */
  retention: {
    /**
     * How long a finished run is kept. In milliseconds.
     */
    age: number;
    /**
     * How many finished runs are kept.
     */
    count: number;
  };
  /**
   * How the connection is encrypted. Without it, `sslmode` of the URL decides.
   */
  tls?: {
    /**
     * A PEM file with the certificate authorities that are trusted instead of those of the system, relative to the folder of gateway.yaml.
     */
    ca?: string;
    /**
     * A PEM file with the certificate of this client.
     */
    cert?: string;
    /**
     * A PEM file with the key of that certificate.
     */
    key?: string;
    /**
     * The name that the certificate of the server must have, where it is not the host of the URL.
     */
    serverName?: string;
  };
}
