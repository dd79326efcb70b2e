import type { Exchange } from '../contract/index.ts';

/** What an expression of `per` may read: of a limit of requests, whose bodies have not been read, the input is empty. */
export type LimitSubject = Pick<
  Exchange,
  'method' | 'query' | 'headers' | 'ip' | 'caller' | 'event' | 'input' | 'work' | 'receivedAt'
>;

/** What an expression of `per` finds in a request. A value that is absent or null is the empty text. */
export type LimitExpression = (subject: LimitSubject) => FoundValue;

export type FoundValue =
  | { readonly ok: true; readonly value: string }
  /** Contains no value of the body. */
  | { readonly ok: false; readonly message: string };
