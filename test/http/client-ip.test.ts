import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { clientIp } from '../../src/http/client-ip.ts';

const requestFrom = (remoteAddress: string, forwarded?: string) =>
  ({
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    socket: { remoteAddress },
    connection: { remoteAddress },
  }) as unknown as IncomingMessage;

t.test('the address of the caller', async (t) => {
  const server = { trustProxy: ['10.0.0.0/8', '::1'] };
  const cases: readonly (readonly [what: string, peer: string, forwarded: string | undefined, expected: string])[] = [
    ['the peer, if it is no trusted proxy', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['the peer, if the proxy reports nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['what a trusted proxy reports', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['the last that no trusted proxy has', '10.0.0.1', '203.0.113.9, 198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['an IPv6 address', '::1', '2001:db8::7', '2001:db8::7'],
    // As octal it would be 10.0.0.1, a trusted proxy, and the one before it would be believed.
    ['the reporting proxy, before an octal number', '10.0.0.1', '203.0.113.9, 012.0.0.1', '10.0.0.1'],
    ['the reporting proxy, before a hexadecimal number', '10.0.0.1', '203.0.113.9, 0x0a000001', '10.0.0.1'],
    ['the reporting proxy, before a decimal number', '10.0.0.1', '203.0.113.9, 167772161', '10.0.0.1'],
    ['the reporting proxy, before a name', '10.0.0.1', '203.0.113.9, unknown', '10.0.0.1'],
    ['an address without the port that is reported', '10.0.0.1', '198.51.100.7:54321', '198.51.100.7'],
    ['an IPv6 address without brackets and port', '10.0.0.1', '[2001:db8::7]:54321', '2001:db8::7'],
    ['an IPv6 address without brackets', '10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
    ['an IPv6 address in its one notation', '10.0.0.1', '2001:DB8:0:0::7', '2001:db8::7'],
    ['an IPv4 address that is mapped into IPv6', '10.0.0.1', '::ffff:198.51.100.7', '198.51.100.7'],
    ['an IPv4 address that is mapped in brackets', '10.0.0.1', '[::FFFF:c633:6407]:1', '198.51.100.7'],
    ['the last before a trusted one with a port', '10.0.0.1', '198.51.100.7, 10.0.0.2:80', '198.51.100.7'],
    ['the last before a trusted one in brackets', '10.0.0.1', '198.51.100.7, [::1]:80', '198.51.100.7'],
    ['the last before a trusted one that is mapped', '10.0.0.1', '198.51.100.7, ::ffff:10.0.0.2', '198.51.100.7'],
    ['the peer as IPv4, if it is mapped into IPv6', '::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['what a trusted proxy reports that is mapped', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['an IPv6 address whose end looks like a port', '10.0.0.1', '2001:db8::7:443', '2001:db8::7:443'],
    ['the reporting proxy, before a port that is none', '10.0.0.1', '203.0.113.9:http', '10.0.0.1'],
    ['the reporting proxy, before a port that is too long', '10.0.0.1', '203.0.113.9:123456', '10.0.0.1'],
    ['the reporting proxy, before an octal number with a port', '10.0.0.1', '203.0.113.9, 012.0.0.1:80', '10.0.0.1'],
    ['the reporting proxy, before a zone', '10.0.0.1', '203.0.113.9, fe80::1%eth0', '10.0.0.1'],
    ['the reporting proxy, before a zone that is none', '10.0.0.1', '203.0.113.9, ::%.', '10.0.0.1'],
    ['the reporting proxy, before IPv4 as the end of IPv6', '10.0.0.1', '203.0.113.9, ::10.0.0.2', '10.0.0.1'],
    ['the peer with its zone', 'fe80::1%eth0', undefined, 'fe80::1%eth0'],
    ['the reporting proxy, before IPv4 in brackets', '10.0.0.1', '[203.0.113.9]:80', '10.0.0.1'],
    ['the reporting proxy, before an open bracket', '10.0.0.1', '[2001:db8::7', '10.0.0.1'],
    ['the reporting proxy, if it reports nothing that is an address', '10.0.0.1', ' , ', '10.0.0.1'],
  ];
  for (const [what, peer, forwarded, expected] of cases) {
    await t.test(`is ${what}`, async (t) => t.equal(clientIp(requestFrom(peer, forwarded), server), expected));
  }
  await t.test('is the peer without trustProxy', async (t) => {
    t.equal(clientIp(requestFrom('10.0.0.1', '198.51.100.7'), { trustProxy: false }), '10.0.0.1');
  });
  await t.test('is the first reported with trustProxy: true', async (t) => {
    t.equal(clientIp(requestFrom('192.0.2.1', '203.0.113.9, 198.51.100.7'), { trustProxy: true }), '203.0.113.9');
  });
});
