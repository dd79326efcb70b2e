import ipaddr from 'ipaddr.js';

/** A target that may be called: a host, at one port or any, or the addresses of a network. */
export type OutboundTarget =
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined }
  | { readonly kind: 'network'; readonly address: ipaddr.IPv4 | ipaddr.IPv6; readonly prefixLength: number };

const hostAndPort = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?$/;

/** Parses an entry of `outbound.allow`; undefined if it is invalid. Hosts are normalized as `URL` normalizes them. */
export function parseOutboundTarget(text: string): OutboundTarget | undefined {
  const [written = '', bits, ...more] = text.split('/');
  // Short forms are ambiguous: `10/8` would be 0.0.0.10/8.
  if (ipaddr.IPv6.isValid(written) || ipaddr.IPv4.isValidFourPartDecimal(written)) {
    const address = ipaddr.parse(written);
    const longest = address.kind() === 'ipv4' ? 32 : 128;
    const prefixLength = bits === undefined ? longest : Number(/^[0-9]{1,3}$/.test(bits) ? bits : NaN);
    // Addresses are compared as IPv4, so an IPv4-mapped network would allow nothing.
    const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
    return more.length === 0 && prefixLength <= longest && !isMapped
      ? { kind: 'network', address, prefixLength }
      : undefined;
  }
  const [, host, digits] = hostAndPort.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port ?? 0) > 65_535 || !URL.canParse(`http://${host}/`)) return undefined;
  return { kind: 'host', host: new URL(`http://${host}/`).hostname, port };
}
