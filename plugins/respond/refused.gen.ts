// Generated from refused.schema.json by schemas/generate.ts. Do not edit.

/**
 * How a respond plugin answers drops and duplicates.
 */
export interface Options {
  /**
   * The answer to a request that a filter dropped. Default: 400 `filtered`. Senders that treat a 4xx as a failure, and retry or disable their webhook, need a 2xx.
   */
  dropped?: {
    /**
     * The HTTP status. 204 has no body; another 2xx says `{ "status": "dropped" }` and the filter; a 4xx is a problem with code `filtered`.
     */
    status: 200 | 202 | 204 | 400 | 409 | 422;
  };
  /**
   * The answer to a duplicate. Default: 400 `duplicate` with the id of the first run. `first` answers as for the first request, e.g. with the output of its run; a caller that may not read that run, or asks after its retention, still gets 400.
   */
  duplicate?:
    | 'first'
    | {
        /**
         * The HTTP status. 204 has no body; another 2xx says `{ "status": "duplicate" }` with `runId` and `statusUrl` of the first run; a 4xx is a problem with code `duplicate`.
         */
        status: 200 | 202 | 204 | 400 | 409 | 422;
      };
}
