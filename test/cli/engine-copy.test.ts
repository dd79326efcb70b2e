import t from 'tap';
import { copyProgress } from '../../src/cli/copy-progress.ts';
import { command } from '../support/command.ts';

t.test('wrong usage is reported, and no password', async (t) => {
  const secret = 'hunter2';
  const cases: readonly (readonly [args: readonly string[], code: number, stderr: RegExp])[] = [
    [[], 2, /required option '--from <store>'/],
    [['--from', 'sqlite:x'], 2, /required option '--to <store>'/],
    [['--from', secret, '--to', 'sqlite:x'], 2, /--from must be sqlite:PATH or postgres:URL/],
    [['--from', 'sqlite:x', '--to', 'postgres:'], 2, /--to must be .*a variable that is not set/],
    [['--from', 'sqlite:x', '--to', 'postgres:env:MISSING_URL'], 2, /--to: the variable MISSING_URL is not set/],
    [['--from', `postgres:u:${secret}@host`, '--to', 'sqlite:x'], 1, /the address of a database is a URL like/],
    [['--from', `postgres://u:${secret}@host:x`, '--to', 'sqlite:x'], 1, /the address of a database is a URL like/],
    [['--from', `postgres://u:${secret}@127.0.0.1:1/d`, '--to', 'sqlite:x'], 1, /cannot be reached \(ECONNREFUSED\)/],
    [['--from', `postgres://u:${secret}%@127.0.0.1:1/d`, '--to', 'sqlite:x'], 1, /error: /],
    [
      ['--from', `postgres://u:${secret}@127.0.0.1:1/d`, '--to', 'sqlite:x', '--schema', 'a b'],
      1,
      /a schema is up to 40/,
    ],
    [['--from', 'sqlite:x', '--to', 'sqlite:y', '--schema', 's'], 1, /both stores of the sqlite engine/],
  ];
  for (const [args, code, stderr] of cases) {
    const found = await command(t, ['engine', 'copy', ...args]);
    t.equal(found.code, code, args.join(' '));
    t.match(found.stderr, stderr);
    t.equal(found.stdout, '');
    t.notMatch(found.stderr, secret);
  }
});

t.test('progress is one line on a terminal, and lines elsewhere', async (t) => {
  const written = (isTTY: boolean) => {
    let text = '';
    const progress = copyProgress({ isTTY, write: (piece: string) => (text += piece) }, (kind) => kind);
    progress.report({ kind: 'claims', done: 500, total: 700, isComplete: false });
    progress.report({ kind: 'claims', done: 700, total: 700, isComplete: true });
    progress.report({ kind: 'uses', done: 0, total: 0, isComplete: true });
    progress.end();
    return text;
  };
  t.equal(written(false), 'claims: 700 of 700\n');
  t.equal(written(true), '\r\u001b[Kclaims: 700 of 700\r\u001b[K');
});
