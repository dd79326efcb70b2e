import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { OutboundError } from '../../contract/index.ts';
import type { OutboundTarget } from '../../schema/outbound-target.ts';

type Targets = readonly OutboundTarget[];

/** How a URL may be reached: by a name that is trusted wherever it leads, or under the eyes of the guard. */
export type Passage = 'trusted' | 'guarded';

/**
 * Keeps calls from reaching what is not public: loopback, private, link-local and all other special addresses, unless
 * allowed. Names are checked as they are resolved for the connection itself, so that a name cannot change in between.
 */
export class OutboundGuard {
  readonly #allow: () => Targets;
  readonly #resolve: typeof lookup;
  /** What was found of URLs that are called again and again, and by which list. */
  readonly #known = new WeakMap<URL, { readonly href: string; readonly allow: Targets; readonly passage: Passage }>();

  /** @param allow asked at each call, since a reload may change it */
  constructor(allow: () => Targets, resolve: typeof lookup = lookup) {
    this.#allow = allow;
    this.#resolve = resolve;
  }

  /** What may be called although it is not public: the same list as long as nothing is allowed or forbidden anew. */
  get allowed(): Targets {
    return this.#allow();
  }

  /** How a URL is to be connected to. Throws an OutboundError if its host is an address that may not be reached. */
  passageTo(url: URL): Passage {
    const allow = this.#allow();
    const { href } = url;
    const known = this.#known.get(url);
    if (known?.allow === allow && known.href === href) return known.passage;
    const passage = this.#passageTo(url, allow);
    this.#known.set(url, { href, allow, passage });
    return passage;
  }

  #passageTo(url: URL, allow: Targets): Passage {
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
    if (isPublic(address)) return true;
    return this.#allow().some((target) => {
      if (target.kind !== 'network' || target.address.kind() !== address.kind()) return false;
      return address.match(target.address, target.prefixLength);
    });
  }
}

/** IPv6 has given out a part of its addresses so far (RFC 4291 §2.4, 2000::/3), and Azure's own services have a public one. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return 'octets' in address ? address.toString() !== '168.63.129.16' : (address.parts[0] ?? 0) >> 13 === 1;
}

function forbidden(): OutboundError {
  const message = 'the address to call is not public, and outbound.allow does not name it';
  return new OutboundError('ERR_OUTBOUND_FORBIDDEN', message, false);
}
