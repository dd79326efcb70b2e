import ipaddr from 'ipaddr.js';

/** A target that may be called: a host at one port or at any, or the addresses of a network. */
export type OutboundTarget =
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined }
  | { readonly kind: 'network'; readonly address: ipaddr.IPv4 | ipaddr.IPv6; readonly prefixLength: number };

const hostAndPort = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?$/;

/** Reads an entry of `outbound.allow`; undefined if it is none. Hosts are in the form that `URL` gives them. */
export function parseOutboundTarget(text: string): OutboundTarget | undefined {
  if (ipaddr.isValidCIDR(text)) {
    const [address, prefixLength] = ipaddr.parseCIDR(text);
    return { kind: 'network', address, prefixLength };
  }
  if (ipaddr.isValid(text) && (text.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(text))) {
    const address = ipaddr.parse(text);
    return { kind: 'network', address, prefixLength: address.kind() === 'ipv4' ? 32 : 128 };
  }
  const [, host, digits] = hostAndPort.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port ?? 0) > 65_535 || !URL.canParse(`http://${host}/`)) return undefined;
  return { kind: 'host', host: new URL(`http://${host}/`).hostname, port };
}
