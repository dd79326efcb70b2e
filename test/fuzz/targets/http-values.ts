import { IncomingMessage } from 'node:http';
import { isIP, Socket } from 'node:net';
import { termsOf } from '../../../plugins/respond/wait/prefer.ts';
import type { Config } from '../../../src/config/model.ts';
import { acceptsEventStream } from '../../../src/contract/index.ts';
import { retryAfterMs } from '../../../src/contract/outbound.ts';
import { parseRoute } from '../../../src/http/address.ts';
import { clientIp } from '../../../src/http/client-ip.ts';
import { parseEventId } from '../../../src/http/event-stream.ts';
import { parseListFilter } from '../../../src/runtime/list-filter.ts';
import { runFields } from '../../../src/runtime/where/run-fields.ts';
import { promised, type Target } from '../engine/target.ts';

const base = '/api/v1.0';
const runId = '01932c07-1f3e-7c3a-9d3e-000000000000';

/** Addresses mean a trigger, a run, a completion or nothing. Names are ASCII. */
export const route: Target = {
  name: 'route',
  weight: 2500,
  shape: 'bytes',
  maxBytes: 512,
  words: [
    '/project/',
    '/trigger/',
    '/run/',
    '/completion',
    base,
    '%2F',
    '%2e%2e',
    '%00',
    '%zz',
    '%E2%84%AA',
    '%c0%af',
    '..',
    '//',
    '?',
    '#',
  ],
  seeds: () => [
    `${base}/project/support/trigger/echo`,
    `${base}/project/a/trigger/b/run/${runId}/completion`,
    '*',
    '/',
  ],
  open: () => ({
    run(input) {
      const found = parseRoute(input.toString('latin1'), base);
      if (found === undefined || found === 'malformed') return { kind: 'refused', code: String(found) };
      const names = [found.projectId, found.key, ...('runId' in found ? [found.runId] : [])];
      const isAscii = names.every(
        (name) => Buffer.from(name).length === name.length || /^[\x80-\xff]/.test(name) || !name.includes('%'),
      );
      promised(isAscii, 'a decoded name is ASCII');
      return {
        kind: 'value',
        code: `${found.kind} ${names.map((name) => (name === '' ? 'empty' : 'named')).join(' ')}`,
      };
    },
  }),
};

/** Headers of callers and of agents. */
export const headers: Target = {
  name: 'headers',
  weight: 1500,
  shape: 'bytes',
  maxBytes: 1024,
  words: [
    ...[
      'respond-async',
      'wait=',
      'wait="5"',
      ', ',
      '; ',
      'text/event-stream',
      ';q=0',
      ';q=0.0',
      'application/json',
      '*/*',
      'TEXT/',
    ],
    ...[
      '10.0.0.1',
      '012.0.0.1',
      '::ffff:1.2.3.4',
      '1.2.3.4:80',
      'unknown',
      '120',
      'Wed, 21 Oct 2026 07:28:00 GMT',
      `${runId}.`,
      '.end',
      '.1.2',
    ],
  ],
  seeds: () => [
    ...[
      'respond-async, wait=5',
      'text/event-stream;q=0.5, */*',
      '10.0.0.1, 203.0.113.9',
      '120',
      'Wed, 21 Oct 2026 07:28:00 GMT',
    ],
    ...[`${runId}.end`, `${runId}.3.1024`, '::1, unknown, 012.0.0.1'],
  ],
  open() {
    const request = new IncomingMessage(new Socket());
    Object.defineProperty(request.socket, 'remoteAddress', { value: '127.0.0.1' });
    const trust = { trustProxy: ['loopback', '10.0.0.0/8'] };
    return {
      run(input) {
        const text = input.toString('latin1');
        const terms = termsOf(text, 30_000, true);
        promised(terms.waitMs >= 0 && terms.waitMs <= 30_000, "a caller waits at most for the trigger's timeout");
        promised(/^[\x20-\x7e]*$/.test(terms.applied), 'what is granted fits into a header');
        const pauseMs = retryAfterMs(text, 0);
        promised(pauseMs === undefined || (pauseMs >= 0 && pauseMs <= 24 * 3_600_000), 'a pause is a day at most');
        request.headers['x-forwarded-for'] = text;
        promised(isIP(clientIp(request, trust)) !== 0, "a caller's address is an IP address");
        const event = parseEventId(text);
        const code = [
          terms.applied === '' ? '' : terms.applied.replaceAll(/\d+/g, 'N'),
          acceptsEventStream(text) ? 'events' : '',
          pauseMs === undefined ? '' : 'pause',
          event === undefined ? '' : `event ${typeof event.position}`,
          request.headers['x-forwarded-for'] && clientIp(request, trust) === '127.0.0.1' ? '' : 'forwarded',
        ].filter((part) => part !== '');
        return { kind: code.length > 0 ? 'value' : 'refused', code: code.join(', ') };
      },
    };
  },
};

/** Queries of the admin listener and options of commands that list. */
export const listFilter: Target = {
  name: 'list-filter',
  weight: 2000,
  shape: 'bytes',
  maxBytes: 512,
  words: ['1h', '2027-06-30T12:00:00Z', 'support/echo', '/', '1000', '1e3', '0x10', 'Infinity', '\n'],
  seeds: () => ['echo\nsupport\n1h\n50', 'support/echo\n\n2027-06-30T12:00:00Z\n1', '/\n\nnow\n1001'],
  open() {
    const config = { triggers: [{ key: 'Echo', project: { id: 'support' } }] } as unknown as Config;
    return {
      run(input) {
        const [trigger, project, since, limit] = input
          .toString()
          .split('\n')
          .map((line) => (line === '' ? undefined : line));
        const parsed = parseListFilter({ trigger, project, since, limit }, config, runFields);
        if (!parsed.ok) return { kind: 'refused', code: parsed.message.slice(0, 20) };
        const { query } = parsed.selection;
        promised(
          Number.isInteger(query.limit) && query.limit >= 1 && query.limit <= 1000,
          'a page has 1 to 1000 items',
        );
        promised(query.since === undefined || Number.isFinite(query.since), 'a list begins at a time');
        return { kind: 'value', code: Object.keys(query).join(' ') };
      },
    };
  },
};
