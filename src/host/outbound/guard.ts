import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, type Dispatcher } from 'undici';
import type { OutboundTarget } from '../config/outbound-target.ts';

/** Why a target may not be called. */
export class OutboundForbidden extends Error {
  override readonly name = 'OutboundForbidden';
  readonly code = 'ERR_OUTBOUND_FORBIDDEN';

  constructor() {
    super('the target is not public, and outbound.allow does not name it');
  }
}

/**
 * Keeps calls from reaching what is not public: loopback, private, link-local and all other special addresses, unless
 * allowed. Names are checked as they are resolved for the connection itself, so that a name cannot change in between.
 */
export class OutboundGuard {
  readonly #allow: () => readonly OutboundTarget[];
  readonly #resolve: typeof lookup;
  readonly #open: Agent;
  readonly #guarded: Agent;

  /** @param allow asked at each call, since a reload may change it */
  constructor(allow: () => readonly OutboundTarget[], resolve: typeof lookup = lookup) {
    this.#allow = allow;
    this.#resolve = resolve;
    this.#open = new Agent({ connect: { lookup: resolve as LookupFunction } });
    this.#guarded = new Agent({ connect: { lookup: this.#lookup } });
  }

  /** What calls of a URL must be made with. Throws OutboundForbidden if its host is an address that may not be reached. */
  dispatcherFor(url: URL): Dispatcher {
    const { hostname } = url;
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const isNamed = this.#allow().some(
      (target) => target.kind === 'host' && target.host === hostname && (target.port ?? port) === port,
    );
    if (isNamed) return this.#open;
    // The system is not asked for what is an address already, and `URL` has brought every notation into one.
    const literal = hostname.replace(/^\[(.*)\]$/, '$1');
    if (ipaddr.isValid(literal) && !this.#isAllowed(literal)) throw new OutboundForbidden();
    return this.#guarded;
  }

  async close(): Promise<void> {
    await Promise.all([this.#open.destroy(), this.#guarded.destroy()]);
  }

  readonly #lookup: LookupFunction = (hostname, options, done) => {
    this.#resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, '', 0);
      const allowed = addresses.filter(({ address }) => this.#isAllowed(address));
      const [first] = allowed;
      if (first === undefined) return done(new OutboundForbidden(), '', 0);
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
