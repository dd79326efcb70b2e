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
