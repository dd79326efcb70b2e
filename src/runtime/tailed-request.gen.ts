// Generated from schemas/source/tailed-request.schema.json by schemas/generate.ts. Do not edit.

/**
 * The data of an event `request` of `GET /requests/tail` on the admin listener: a request to the public listener, as it was answered. Members may be added; none is removed or gets another meaning.
 */
export interface TailedRequestDocument {
  /**
   * The `X-Request-Id` of the answer.
   */
  requestId: string;
  /**
   * When it arrived, in UTC.
   */
  receivedAt: string;
  /**
   * Its method.
   */
  method: string;
  /**
   * Its path without the query.
   */
  path: string;
  /**
   * The address of the caller.
   */
  ip: string;
  /**
   * Its trigger, `project/key`; absent where none is known.
   */
  trigger?: string;
  /**
   * Id of the caller; absent where none is known.
   */
  caller?: string;
  /**
   * `accepted`, `handshake`, or the code of the error reply. Absent: it did not fire a trigger.
   */
  outcome?: string;
  /**
   * The code of the problem that the caller got; absent where there was none.
   */
  code?: string;
  /**
   * The HTTP status that the caller got. Null: it got none.
   */
  status: number | null;
  /**
   * Why, for operators: the name of the filter or limit; may be empty.
   */
  reason: string;
  /**
   * The run that it started, or whose duplicate it is; absent if there is none.
   */
  runId?: string;
  /**
   * From its arrival until its answer was sent, in milliseconds.
   */
  durationMs: number;
}
