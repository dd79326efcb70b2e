import { checkedId } from '../../../src/cli/checked-id.ts';
import { checkHeaders, headersOf } from '../../../src/cli/request-input.ts';
import { UsageError } from '../../../src/cli/terminal.ts';
import { recordValues } from '../../../src/engine/sqlite/recovery/record.ts';
import { walFrames } from '../../../src/engine/sqlite/recovery/wal-frames.ts';
import { triableRequest } from '../../../src/review/recorded-requests.ts';
import { RequestSourceError, requestOfLine } from '../../../src/review/request-source.ts';
import { promised, type Target } from '../engine/target.ts';

/** Lines of exported requests, which `plan`, `test` and `explain` read. */
export const exportedRequest: Target = {
  name: 'exported-request',
  shape: 'json',
  words: [
    '"project":"support"',
    '"trigger":"echo"',
    '"receivedAt":"2027-06-30T12:00:00Z"',
    '"body":{}',
    '"headers":{"a":"b"}',
    '"masked":["/a"]',
  ],
  seeds: () => [
    '{"id":"1","project":"support","trigger":"echo","receivedAt":"2027-06-30T12:00:00Z","caller":"website","ip":"127.0.0.1","headers":{"x":"y"},"body":{"a":1.0},"masked":["/a"],"verdict":"accepted","status":200}',
    ...['{}', '[]', 'null', '{"project":"a","trigger":"b","receivedAt":0}'],
  ],
  open: () => ({
    run(input) {
      try {
        const request = requestOfLine(input.toString(), 'file:1');
        promised(Number.isFinite(request.receivedAt), 'a request has a time');
        if (request.bodyText !== undefined) JSON.parse(request.bodyText);
        const tried = triableRequest(request);
        return {
          kind: 'value',
          code: `${tried.bodyText === undefined ? 'no body' : 'body'} ${tried.masked.length > 0 ? 'masked' : ''}`,
        };
      } catch (error) {
        if (!(error instanceof RequestSourceError)) throw error;
        promised(error.message.length < 200, 'an error holds no values');
        return { kind: 'refused', code: error.message };
      }
    },
  }),
};

/** Arguments of commands: ids and headers. */
export const commandLine: Target = {
  name: 'command-line',
  shape: 'bytes',
  maxBytes: 512,
  words: ['x-a: b', ':', '\r\n', '\0', '__proto__: x', 'é'],
  seeds: () => ['x-a: b\nAuthorization: Bearer x', 'run-1', '../../etc/passwd'],
  open: () => ({
    async run(input) {
      const text = input.toString();
      try {
        if (!text.includes(':')) {
          promised(/^[\w-]{1,64}$/.test(checkedId(text)), 'an id is a word');
          return { kind: 'value', code: 'id' };
        }
        const headers = headersOf(text.split('\n'));
        await checkHeaders(headers);
        return { kind: 'value', code: 'headers', size: Object.keys(headers).length };
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        return {
          kind: 'refused',
          code: error.message.replace(/ (header|id|value of) .* (does|must|has) /s, ' $1 ').slice(0, 80),
        };
      }
    },
  }),
};

const wal = (() => {
  const header = Buffer.alloc(32);
  header.writeUInt32BE(0x377f0682, 0);
  header.writeUInt32BE(512, 8);
  return header;
})();

/** Records and logs of a damaged journal, which `runs recover` reads. */
export const journal: Target = {
  name: 'damaged-journal',
  shape: 'bytes',
  seeds: () => [
    Buffer.from([4, 1, 0x1d, 0, 7, ...Buffer.from('hello!!!')]),
    Buffer.from([3, 6, 9, 0, 0, 0, 0, 0, 0, 0, 1]),
    wal,
  ],
  open: () => ({
    run(input) {
      const frames = walFrames(input, 512);
      promised(frames.size * 512 <= input.length, 'a log holds no more pages than bytes');
      try {
        const values = recordValues(input);
        promised(values.length <= input.length, 'a record holds no more values than bytes');
        const lost = values.filter((value) => value === undefined).length;
        return { kind: 'value', code: lost > 0 ? 'lost values' : 'record', size: values.length };
      } catch (error) {
        // Its caller counts a cell that cannot be read, whatever the reason.
        promised(error instanceof Error && !(error instanceof TypeError), 'what is unreadable is an error of its own');
        return { kind: 'refused', code: error.message.replaceAll(/-?\d+/g, 'N') };
      }
    },
  }),
};
