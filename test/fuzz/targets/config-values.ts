import { InvalidArgumentError } from 'commander';
import { parsePercent } from '../../../src/cli/numbers.ts';
import { pointerSegments } from '../../../src/contract/index.ts';
import { withoutCredentials } from '../../../src/diagnostics/credentials.ts';
import { parseExpiry } from '../../../src/schema/expiry.ts';
import { schemaFormats } from '../../../src/schema/formats.ts';
import { parseOutboundTarget } from '../../../src/schema/outbound-target.ts';
import { parseDuration, parseSize } from '../../../src/schema/units.ts';
import { promised, type Target } from '../engine/target.ts';

/** Durations, sizes, expiries, networks and the like, each of which is written as a text. */
export const configValues: Target = {
  name: 'config-values',
  shape: 'bytes',
  maxBytes: 512,
  words: [
    ...[
      '30s',
      '5m',
      '1h',
      '7d',
      '250ms',
      '64KiB',
      '1MiB',
      '2GiB',
      '10B',
      '2027-06-30',
      'T12:00:00Z',
      '+02:00',
      '.123456789',
    ],
    ...[
      '10.0.0.0/8',
      '::ffff:10.0.0.1',
      'fd00::/8',
      '[::1]:80',
      'example.com:443',
      'http://',
      'user:pw@',
      '?token=x',
      '012.0.0.1',
    ],
    ...[
      'Europe/Berlin',
      'Etc/GMT+1',
      'loopback',
      'uniquelocal',
      'xn--',
      '2027-02-30',
      '24:00',
      '/a~1b',
      '~0',
      '100',
      '1e2',
      ' ',
    ],
  ],
  seeds: () => [
    ...[
      '30s',
      '64KiB',
      '2027-06-30',
      '2027-06-30T12:00:00+02:00',
      '10.0.0.0/8',
      'example.com:443',
      '[::1]:8080',
      'fd00::/8',
    ],
    ...[
      'https://user:secret@example.com/?token=abc&a=b#c',
      'Europe/Berlin',
      'de',
      '50',
      '/a/b~1c',
      '--password=x',
      'loopback, 10.0.0.1',
    ],
  ],
  open: () => ({
    run(input) {
      const text = input.toString();
      const duration = parseDuration(text);
      const size = parseSize(text);
      for (const number of [duration, size]) {
        promised(number === undefined || (Number.isSafeInteger(number) && number >= 0), 'an amount is a whole number');
      }
      const expiry = parseExpiry(text);
      promised(expiry === undefined || Number.isSafeInteger(expiry), 'an expiry is a time');
      const target = parseOutboundTarget(text);
      if (target?.kind === 'host') promised(URL.canParse(`http://${target.host}`), 'an outbound host is that of a URL');
      const hidden = withoutCredentials(text, () => '***');
      promised(hidden.length <= 4 * text.length + 3, 'a text without credentials is not much longer');
      promised(!/\/\/[^/?#\s"'@*]+@/.test(hidden), 'no credentials of a URL are left');
      pointerSegments(text);
      const formats = Object.entries(schemaFormats).flatMap(([name, format]) => (matches(format, text) ? [name] : []));
      const found = { duration, size, expiry, target: target?.kind, percent: percentOf(text) };
      const read = Object.entries(found).flatMap(([name, value]) => (value === undefined ? [] : [name]));
      return {
        kind: read.length > 0 ? 'value' : 'refused',
        code: [...read, ...formats].join(' '),
        size: hidden.length - text.length,
      };
    },
  }),
};

function percentOf(text: string): number | undefined {
  try {
    return parsePercent(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return undefined;
    throw error;
  }
}

function matches(format: (typeof schemaFormats)[string], text: string): boolean {
  if (format instanceof RegExp) return format.test(text);
  const check = typeof format === 'function' ? format : Object(format).validate;
  if (check instanceof RegExp) return check.test(text);
  return typeof check === 'function' && check(text) === true;
}
