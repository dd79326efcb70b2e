/** A request to fire a trigger, as a sender makes it: `POST` to an absolute URL, names of headers in lower case. */
export interface SentRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Signing {
  /** What the sender signs with, or sends: a secret, or a private key in PEM. */
  readonly secret: string;
  /** The time of the signature, in milliseconds since the epoch. */
  readonly at: number;
  /** The type of the event, for senders that name it in a header. */
  readonly event?: string | undefined;
}

/** A signed request, or why it cannot be signed. The reason contains no secret. */
export type SignResult =
  | { readonly ok: true; readonly request: SentRequest }
  | { readonly ok: false; readonly reason: string };
