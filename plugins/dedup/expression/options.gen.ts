// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the expression dedup plugin: requests for which an expression has the same value are duplicates.
 */
export interface Options {
  /**
   * JSONata (https://docs.jsonata.org) over the request's body. Requests with the same value, a text or any other JSON, are duplicates. It may also read $event (name, id, time), $request (method, headers, query, ip), $caller (id, claims), $project (id, name, language) and $trigger (key, name). A request is never a duplicate if the value is nothing, null, an empty text or a number with lost digits (an integer beyond 2^53, a fraction that a double cannot hold), or if the evaluation fails, which is logged.
   */
  key: string;
  /**
   * How long a value is remembered, counted from the acceptance of its run. Absent: forever. In milliseconds.
   */
  window?: number;
  /**
   * Whose requests are compared. `trigger`: those of all callers, so that one caller learns that another has sent the same, and the id of its run. `caller`: equal values of two callers are no duplicates.
   */
  scope: 'trigger' | 'caller';
  /**
   * Whether the value stays remembered when its run fails or is cancelled, so that the caller cannot retry with it.
   */
  keepOnFailure: boolean;
  /**
   * Names of the headers in $request.headers, in lower case. authorization, cookie, proxy-authorization, set-cookie and x-api-key are rejected; list no other that carries a secret.
   *
   * Items: The name of a header.
   */
  headers: string[];
  /**
   * Names of the claims in $caller.claims, of a caller with a token.
   *
   * Items: The name of a claim.
   */
  claims: string[];
}
