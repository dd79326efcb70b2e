// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the stream respond plugin.
 */
export interface Options {
  /**
   * How long the stream stays open. After it an error event `wait_timeout` ends it and the run goes on; a client that comes back with Last-Event-ID hears the rest. In milliseconds.
   */
  timeout: number;
  /**
   * How a request is answered that a filter dropped. Without it the answer is 400 `filtered`. Senders that take a 4xx for a failure, and retry or disable their webhook, want a 2xx.
   */
  dropped?: {
    /**
     * The HTTP status. 204 has no body; another 2xx says `{ "status": "dropped" }` and the filter; a 4xx is a problem with code `filtered`.
     */
    status: 200 | 202 | 204 | 400 | 409 | 422;
  };
  /**
   * How a duplicate is answered. Without it the answer is 400 `duplicate` with the id of the first run. `first` answers as for the first request, e.g. with the output of its run; a caller that may not read that run, or comes when it is no longer kept, still gets 400.
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
