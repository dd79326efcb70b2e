import type { Principal, RequestHead } from './exchange.ts';
import type { JsonObject, MaybePromise } from './json.ts';
import type { BodyReply } from './respond.ts';
import type { TokenClaims } from './token.ts';

/** Establishes who calls: from the head of the request, or, where that does not suffice, from the bytes of its body. */
export interface Auth {
  authenticate(request: RequestHead): MaybePromise<AuthResult>;
  /** Which parts of a request carry its credentials. Recorded requests never keep them. */
  readonly credentials?: AuthCredentials;
  /** Lets pages without a sign-in earn short-lived tokens. Undefined: a caller must have a credential. */
  readonly visitors?: Visitors | undefined;
}

/**
 * Lets a page that has no credential earn a token: `GET …/trigger/:key/token` answers a challenge, `POST` redeems its
 * solution. The gateway asks only for active triggers, and for pages that the `cors` of the trigger allows.
 * @experimental
 */
export interface Visitors {
  /** Who visitors are in runs, logs and limits, also while they have no token. No API key may have this id. */
  readonly id: string;
  /** A challenge for a page, sent as JSON. Anyone may ask for any number: it must be cheap to make, and is not stored. */
  challenge(page: VisitingPage): MaybePromise<JsonObject>;
  /** Judges what a page sent as the solution of a challenge. Must be cheap: anyone may send anything. */
  redeem(page: VisitingPage, solution: string): MaybePromise<Redemption>;
}

/**
 * Which page asks for a token, and for which trigger.
 * @experimental
 */
export interface VisitingPage {
  readonly origin: string;
  /** `project/key`, the key in lower case. */
  readonly trigger: string;
  /** When the request arrived, in milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** @experimental */
export type Redemption =
  /** The gateway issues a token with these claims, for this page, this trigger and one session. */
  | { readonly kind: 'earned'; readonly claims: EarnedClaims }
  /** Answered 403. The reason is for the log only, and a label of metrics: it comes from the code, never from the request. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Answered 400 with this message. */
  | { readonly kind: 'malformed'; readonly message: string };

/**
 * What a visitor has earned. `id` must follow from the challenge: the runs of a token are counted by it, so that a challenge
 * which is redeemed twice allows no more runs than one that is redeemed once.
 * @experimental
 */
export type EarnedClaims = Pick<TokenClaims, 'id' | 'key' | 'expiresAt' | 'uses'>;

export interface AuthCredentials {
  /** Names of the request headers that carry credentials. */
  readonly headers: readonly string[];
  /** Names of the parameters of the query that carry credentials: no stage after auth sees them. */
  readonly query?: readonly string[];
  /**
   * Whether a request that carries one of `headers` may return `needs_body`. A trigger that does not exist refuses such
   * a request only after its body has been read too: the time to the answer must not reveal which triggers exist.
   */
  readonly mayNeedBody?: boolean;
  /**
   * Whether a request may carry credentials without any of `headers`: in its body or its query. Every request is then
   * refused only after its body has been read, for the same reason.
   */
  readonly mayLackHeaders?: boolean;
}

export type AuthResult =
  | AuthVerdict
  /**
   * Only the body can tell, e.g. because it is signed. The body is read within `server.bodyLimit`, and `verify` gets its
   * bytes as sent, empty if there are none. Reject what the head alone shows to be wrong: an unread body costs nothing.
   * `members` is given if these bytes are not JSON: they have a content coding, or are a form.
   */
  | { readonly kind: 'needs_body'; verify(body: Uint8Array, members?: BodyMembers): MaybePromise<AuthVerdict> };

/**
 * Returns the members of a body as JSON text in UTF-8, decoded, within the limits of the trigger; undefined if it cannot be read.
 * Verify first what the bytes themselves show: decoding is work for a sender who is not known yet.
 */
export type BodyMembers = () => MaybePromise<Uint8Array | undefined>;

export type AuthVerdict =
  | {
      readonly kind: 'authenticated';
      readonly principal: Principal;
      /** How the sender of a webhook describes its event. */
      readonly event?: SenderEvent | undefined;
    }
  /** The request carries no credential of this plugin's kind: the next auth plugin of the trigger is asked. */
  | { readonly kind: 'abstained' }
  /** The request carries a credential that is not valid. The reason is for the log only. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The credential cannot be verified now, e.g. because a key server is out of reach: answered 503. The reason is for the log only. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /**
   * A verified handshake, by which a sender confirms this address: `reply` is sent and nothing is fired. A paused
   * trigger answers no handshake.
   */
  | { readonly kind: 'handshake'; readonly reply: BodyReply };

/** The event that a webhook reports: its type, its id, which is the same when it is sent again, and when it happened. */
export interface SenderEvent {
  readonly name?: EventValue | undefined;
  readonly id?: EventValue | undefined;
  readonly time?: EventValue | undefined;
}

/**
 * A value that the head of a request holds, or where one stands in its body: at the first of these JSON pointers (RFC
 * 6901) that leads to a string or a number. The gateway reads it from the body that it has parsed.
 */
export type EventValue = string | { readonly pointers: readonly string[] };

/**
 * What reviewers of a config should know of an auth stage.
 * @experimental
 */
export interface AuthReview {
  readonly callers: AuthCallers;
  /** What the bodies of these callers are like, where the config of a trigger leaves that open. */
  readonly body?: SenderBody | undefined;
  /**
   * How its senders describe an event, by the head of a request: for dry runs, whose requests carry no credential.
   */
  eventOf?(request: RequestHead): SenderEvent;
}

/**
 * The members of a trigger's `body` that follow from who its senders are.
 * @experimental
 */
export interface SenderBody {
  readonly fields?: 'checked' | 'free';
  readonly accept?: readonly ('json' | 'form' | 'text')[];
  readonly form?: { readonly json: string | readonly string[] };
}

/**
 * Who can pass an auth stage.
 * @experimental
 */
export type AuthCallers =
  /** Everybody, without a credential. */
  | { readonly kind: 'anyone' }
  /** The API keys that ApiKey files declare. */
  | { readonly kind: 'declared' }
  /**
   * Everybody who holds a valid credential of this kind, e.g. a token. Ids of such callers start with `prefix`.
   * `isPublic`: anyone can get such a credential.
   */
  | { readonly kind: 'holders'; readonly prefix: string; readonly isPublic?: boolean };
