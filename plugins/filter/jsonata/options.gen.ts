// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the jsonata filter plugin.
 */
export interface Options {
  /**
   * JSONata (https://docs.jsonata.org) over the request's body. The request passes if $boolean of the result is true. Besides the body it may read $request (method, headers, ip), $key (id), $project (id, name, language) and $trigger (key, name). $eval is not available; regular expressions are RE2's.
   */
  expression: string;
  /**
   * How long an evaluation may take that is isolated in a process of its own. A longer one is an error, not a drop. What is compiled ends by itself. In milliseconds.
   */
  timeout: number;
  /**
   * How deep calls of functions may nest. In an isolated evaluation the interpreter counts some three levels for a call that is not its function's last.
   */
  maxDepth: number;
  /**
   * How many items a sequence made by the expression may have.
   */
  maxSequence: number;
  /**
   * What happens to a request if its evaluation fails: `drop` answers filter_error, `pass` takes it on.
   */
  onError: 'drop' | 'pass';
  /**
   * Names of the headers that $request.headers has, in lower case. authorization, cookie, proxy-authorization, set-cookie and x-api-key are refused; list no other that carries a secret.
   *
   * Items: The name of a header.
   */
  headers: string[];
}
