/** The part of an IP address that one client has to itself: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressBlock(ip: string): string {
  if (!ip.includes(':')) return ip;
  const [address = ''] = ip.split('%');
  const mapped = /^(?:0*:)*(?:ffff|FFFF):([0-9.]+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  // A dotted end takes two groups, which are never among the first four.
  const length = before.length + after.length + Number(address.includes('.'));
  const groups = tail === undefined ? before : [...before, ...Array.from({ length: 8 - length }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}
