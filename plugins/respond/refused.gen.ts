// Generated from refused.schema.json by schemas/generate.ts. Do not edit.

/**
 * How a respond plugin answers drops and duplicates, and what the bodies of its answers may read.
 */
export interface Options {
  /**
   * The answer to a request that a filter dropped. Default: 400 `filtered`. Senders that treat a 4xx as a failure, and retry or disable their webhook, need a 2xx.
   */
  dropped?: {
    /**
     * The HTTP status; 200 if there is only a `body`. 204 has no body; another 2xx says `{ "status": "dropped" }` and the filter; a 4xx is a problem with code `filtered`.
     */
    status?: 200 | 202 | 204 | 400 | 409 | 422;
    /**
     * The body in place of the standard one, for a status of 200 or 202, over `status` and `filter`. JSONata, a text with {{ expression }} in it, or an object whose texts may contain them.
     */
    body?:
      | string
      | {
          [k: string]: unknown;
        };
  };
  /**
   * The answer to a duplicate. Default: 400 `duplicate` with the id of the first run. `first` answers as for the first request, e.g. with the output of its run; a caller that may not read that run, or asks after its retention, still gets 400.
   */
  duplicate?:
    | 'first'
    | {
        /**
         * The HTTP status; 200 if there is only a `body`. 204 has no body; another 2xx says `{ "status": "duplicate" }` with `runId` and `statusUrl` of the first run; a 4xx is a problem with code `duplicate`.
         */
        status?: 200 | 202 | 204 | 400 | 409 | 422;
        /**
         * The body in place of the standard one, for a status of 200 or 202, over `status`, `runId` and `statusUrl` of the first run. JSONata, a text with {{ expression }} in it, or an object whose texts may contain them.
         */
        body?:
          | string
          | {
              [k: string]: unknown;
            };
      };
  /**
   * Names of the headers in $request.headers of a `body`, in lower case; by default none. authorization, cookie, proxy-authorization, set-cookie and x-api-key are rejected; list no other that carries a secret.
   *
   * Items: The name of a header.
   */
  headers?: string[];
  /**
   * Names of the claims in $caller.claims of a `body`, of a caller with a token; by default none.
   *
   * Items: The name of a claim.
   */
  claims?: string[];
}
