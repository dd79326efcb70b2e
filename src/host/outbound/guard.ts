import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { OutboundError } from '../../contract/index.ts';
import type { OutboundTarget } from '../../schema/outbound-target.ts';

type Targets = readonly OutboundTarget[];

/** How a URL may be reached: `trusted` names may resolve to any address, `guarded` ones only to allowed addresses. */
export type Passage = 'trusted' | 'guarded';

/**
 * The SSRF guard: keeps calls from reaching addresses that are not public (loopback, private, link-local and all other
 * special ranges), unless allowed. Addresses are checked when the connection resolves the name, so that DNS rebinding
 * cannot change them between check and use.
 */
export class OutboundGuard {
  readonly #allow: () => Targets;
  readonly #resolve: typeof lookup;
  /** Cached decisions for URLs that are called repeatedly, with the list that they were made by. */
  readonly #known = new WeakMap<URL, { readonly href: string; readonly allow: Targets; readonly passage: Passage }>();

  /** @param allow read at each call, since a reload may change it */
  constructor(allow: () => Targets, resolve: typeof lookup = lookup) {
    this.#allow = allow;
    this.#resolve = resolve;
  }

  /** Targets that may be called although they are not public. A reload that changes them replaces the list. */
  get allowed(): Targets {
    return this.#allow();
  }

  /** Decides how to connect to a URL. Throws an OutboundError if its host is a forbidden address. */
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
    // An address is not resolved, so it is checked here; `URL` has normalized its notation.
    const literal = hostname.replace(/^\[(.*)\]$/, '$1');
    if (ipaddr.isValid(literal) && !this.#isAllowed(literal)) throw forbidden();
    return 'guarded';
  }

  /** Whether a URL is certainly refused, before its name is resolved. */
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

/** IPv6 unicast is 2000::/3 so far (RFC 4291 §2.4). 168.63.129.16 is internal to Azure, although its range is public. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return 'octets' in address ? address.toString() !== '168.63.129.16' : (address.parts[0] ?? 0) >> 13 === 1;
}

function forbidden(): OutboundError {
  const message = 'the address to call is not public, and outbound.allow does not name it';
  return new OutboundError('ERR_OUTBOUND_FORBIDDEN', message, false);
}
