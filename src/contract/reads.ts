/** What a filter or dedup plugin reads of a request in addition to its body. Recorded requests keep it, for dry runs. */
export interface RequestReads {
  /** Names of headers. */
  readonly headers: readonly string[];
  /** Whether it reads the caller's address, which depends on the proxies that the gateway trusts. */
  readonly address?: boolean;
  /** Whether it reads the query. */
  readonly query?: boolean;
  /** Whether it reads what a webhook reports, `exchange.event`. */
  readonly event?: boolean;
  /** Names of the caller's claims. Of no others are recorded the values. */
  readonly claims?: readonly string[];
}
