import ipaddr from 'ipaddr.js';
import type { ServerConfig } from '../../../config/model.ts';
import type { OutboundTarget } from '../../../schema/outbound-target.ts';

type Network = Extract<OutboundTarget, { kind: 'network' }>;
type TrustProxy = ServerConfig['trustProxy'];

/** The names that `trustProxy` has for networks. */
const named: Readonly<Record<string, readonly string[]>> = {
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  loopback: ['127.0.0.1/8', '::1/128'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** The entries of `trustProxy`, sorted: one text and a list of one are the same, and order has no meaning. */
export function trustedEntries(trustProxy: TrustProxy): readonly string[] {
  if (typeof trustProxy === 'boolean') return trustProxy ? ['every peer'] : [];
  const written = [trustProxy].flat().flatMap((entry) => entry.split(','));
  return [...new Set(written.map((entry) => entry.trim()))].sort();
}

/** Entries that trust a peer which was not trusted before, and whether every peer of an address family is trusted now. */
export function newlyTrusted(
  before: TrustProxy,
  after: TrustProxy,
): { readonly entries: readonly string[]; readonly isEveryPeer: boolean } {
  if (before === true || after === false) return { entries: [], isEveryPeer: false };
  if (after === true) return { entries: trustedEntries(after), isEveryPeer: true };
  const old = trustedEntries(before).flatMap(networksOf);
  const entries = trustedEntries(after).filter((entry) =>
    networksOf(entry).some((network) => !old.some((other) => contains(other, network))),
  );
  const networks = trustedEntries(after).flatMap(networksOf);
  const isEveryPeer = entries.length > 0 && (coversFamily(networks, 'ipv4') || coversFamily(networks, 'ipv6'));
  return { entries, isEveryPeer };
}

/** Targets that may be called now, and that no target covered before. */
export function newTargets(
  before: readonly OutboundTarget[],
  after: readonly OutboundTarget[],
): readonly OutboundTarget[] {
  return after.filter((target) => !before.some((old) => coversTarget(old, target)));
}

function coversTarget(old: OutboundTarget, target: OutboundTarget): boolean {
  if (old.kind === 'network' || target.kind === 'network') {
    return old.kind === 'network' && target.kind === 'network' && contains(old, target);
  }
  return old.host === target.host && (old.port === undefined || old.port === target.port);
}

function networksOf(entry: string): readonly Network[] {
  return (named[entry] ?? [entry]).flatMap((text) => {
    const [address = '', bits] = text.split('/');
    if (!ipaddr.isValid(address)) return [];
    const parsed = ipaddr.process(address);
    const longest = parsed.kind() === 'ipv4' ? 32 : 128;
    // `::ffff:0:0/96` is every IPv4 address.
    const mapped = longest === 32 && address.includes(':') && bits !== undefined ? 96 : 0;
    const prefixLength = Math.max(0, prefixOf(bits, longest) - mapped);
    return [{ kind: 'network', address: parsed, prefixLength }] as const;
  });
}

/** A prefix length may be written as a netmask: `10.0.0.0/255.0.0.0`. */
function prefixOf(bits: string | undefined, longest: number): number {
  if (bits === undefined) return longest;
  if (/^\d+$/.test(bits)) return Number(bits);
  return (ipaddr.isValid(bits) ? ipaddr.parse(bits).prefixLengthFromSubnetMask() : undefined) ?? longest;
}

function contains(outer: Network, inner: Network): boolean {
  if (outer.address.kind() !== inner.address.kind() || outer.prefixLength > inner.prefixLength) return false;
  return startOf(inner, outer.prefixLength) === startOf(outer, outer.prefixLength);
}

/** The first bits of a network's address. */
function startOf({ address }: Network, length: number): string {
  return address
    .toByteArray()
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, length);
}

/** Whether networks cover all addresses of a family together, as `0.0.0.0/1` and `128.0.0.0/1` do. */
function coversFamily(networks: readonly Network[], family: 'ipv4' | 'ipv6'): boolean {
  const starts = networks
    .filter(({ address }) => address.kind() === family)
    .map((network) => startOf(network, network.prefixLength));
  const covers = (start: string): boolean => {
    if (starts.some((one) => start.startsWith(one))) return true;
    return starts.some((one) => one.startsWith(start)) && covers(`${start}0`) && covers(`${start}1`);
  };
  return covers('');
}
