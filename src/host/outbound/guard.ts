import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { OutboundTarget } from '../../config/outbound-target.ts';
import { OutboundError } from '../../contract/index.ts';

/** How a URL may be reached: by a name that is trusted wherever it leads, or under the eyes of the guard. */
export type Passage = 'trusted' | 'guarded';

/**
 * Keeps calls from reaching what is not public: loopback, private, link-local and all other special addresses, unless
 * allowed. Names are checked as they are resolved for the connection itself, so that a name cannot change in between.
 */
export class OutboundGuard {
  readonly #allow: () => readonly OutboundTarget[];
  readonly #resolve: typeof lookup;
  /** What was found of URLs that are called again and again, and by which list. */
  readonly #known = new WeakMap<URL, { readonly allow: readonly OutboundTarget[]; readonly passage: Passage }>();

  /** @param allow asked at each call, since a reload may change it */
  constructor(allow: () => readonly OutboundTarget[], resolve: typeof lookup = lookup) {
    this.#allow = allow;
    this.#resolve = resolve;
  }

  /** How a URL is to be connected to. Throws an OutboundError if its host is an address that may not be reached. */
  passageTo(url: URL): Passage {
    const allow = this.#allow();
    const known = this.#known.get(url);
    if (known?.allow === allow) return known.passage;
    const passage = this.#passageTo(url, allow);
    this.#known.set(url, { allow, passage });
    return passage;
  }

  #passageTo(url: URL, allow: readonly OutboundTarget[]): Passage {
    const { hostname } = url;
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const isNamed = allow.some(
      (target) => target.kind === 'host' && target.host === hostname && (target.port ?? port) === port,
    );
    if (isNamed) return 'trusted';
    // The system is not asked for what is an address already, and `URL` has brought every notation into one.
    const literal = hostname.replace(/^\[(.*)\]$/, '$1');
    if (ipaddr.isValid(literal) && !this.#isAllowed(literal)) throw forbidden();
    return 'guarded';
  }

  /** Whether a URL is refused for sure, whatever its name may resolve to. */
  forbids(url: URL): boolean {
    try {
      return (
        this.passageTo(url) === 'guarded' && /^(?:.+\.)?localhost$/.test(url.hostname) && !this.#isAllowed('127.0.0.1')
      );
    } catch {
      return true;
    }
  }

  /** Resolves names for connections of a passage. */
  lookupFor(passage: Passage): LookupFunction {
    return passage === 'trusted' ? (this.#resolve as LookupFunction) : this.#lookup;
  }

  readonly #lookup: LookupFunction = (hostname, options, done) => {
    this.#resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0);
      const allowed = addresses.filter(({ address }) => this.#isAllowed(address));
      const [first] = allowed;
      if (first === undefined) return done(forbidden(), '', 0);
      if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };

  #isAllowed(text: string): boolean {
    const address = ipaddr.process(text);
    if (address.range() === 'unicast') return true;
    return this.#allow().some((target) => {
      if (target.kind !== 'network' || target.address.kind() !== address.kind()) return false;
      return address.match(target.address, target.prefixLength);
    });
  }
}

function forbidden(): OutboundError {
  const message = 'the address to call is not public, and outbound.allow does not name it';
  return new OutboundError('ERR_OUTBOUND_FORBIDDEN', message, false);
}
