// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the jsonata filter plugin.
 */
export interface Options {
  /**
   * JSONata (https://docs.jsonata.org) over the request's body. The request passes if $boolean of the result is true. It may also read $request (method, headers, query, ip), $caller (id, claims), $event (name, id, time), $project (id, name, language) and $trigger (key, name). $eval is not available; regular expressions are RE2's.
   */
  expression: string;
  /**
   * Deadline of an evaluation in the sandbox, a separate process. A longer one is an error, not a drop. Compiled expressions always terminate. In milliseconds.
   */
  timeout: number;
  /**
   * How deep function calls may nest. In the sandbox the interpreter counts about three levels for each call that is not in tail position.
   */
  maxDepth: number;
  /**
   * How many items a sequence created by the expression may have.
   */
  maxSequence: number;
  /**
   * What happens to a request if its evaluation fails: `drop` answers filter_error, `pass` lets it pass, unless the request has exhausted its limit of work.
   */
  onError: 'drop' | 'pass';
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
