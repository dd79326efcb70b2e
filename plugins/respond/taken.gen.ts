// Generated from taken.schema.json by schemas/generate.ts. Do not edit.

/**
 * How a respond plugin answers for the run of an accepted request.
 */
export interface Options {
  /**
   * The answer while the run is still under way. Default: 202 with `runId`, `status` and `statusUrl`. Some senders take nothing but a 200 for a success.
   */
  accepted?: {
    /**
     * The HTTP status, 202 by default. 200 and 202 have a body, 204 has none; all of them name the `statusUrl` in the header Location, 202 alone has Retry-After.
     */
    status?: 200 | 202 | 204;
    /**
     * The body in place of the standard one, over `runId`, `status`, `statusUrl` and `sessionId`. JSONata, a text with {{ expression }} in it, or an object whose texts may contain them.
     */
    body?:
      | string
      | {
          [k: string]: unknown;
        };
  };
  /**
   * The body in place of the standard one: with `wait`, of the answer with the output; with `accepted`, of its answer. JSONata over `runId`, `status`, `statusUrl`, `output`, `error` and `sessionId`, a text with {{ expression }} in it, or an object whose texts may contain them. Expressions may also read $input (the body of the request), $request (method, headers, query, ip), $caller (id, claims), $event (name, id, time), $project and $trigger. A text is sent as text/plain, anything else as JSON. If it cannot be evaluated, or is nothing, the standard body is sent, and the log says why.
   */
  body?:
    | string
    | {
        [k: string]: unknown;
      };
}
