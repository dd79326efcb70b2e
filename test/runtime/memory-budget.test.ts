import fc from 'fast-check';
import t from 'tap';
import type { MemoryKind, Reservation } from '../../src/engine/types/index.ts';
import { addressBlock } from '../../src/runtime/memory/address-block.ts';
import { MemoryBudget } from '../../src/runtime/memory/memory-budget.ts';

const budgetOf = (memoryBytes: number) => new MemoryBudget({ memoryBytes, bodyLimitBytes: 1 });
/** The room of an attempt, once it has it. */
async function granted(room: ReturnType<MemoryBudget['room']>): Promise<Reservation> {
  const reservation = 'granted' in room ? await room.granted : room;
  if (reservation === undefined) throw new Error('the room was withdrawn');
  return reservation;
}
const totalOf = ({ held }: MemoryBudget) => Object.values(held).reduce((sum, bytes) => sum + bytes, 0);

t.test('a reservation is free when its last holder has released it, and no sooner', (t) => {
  const budget = budgetOf(1000);
  const body = budget.reserve('requests', 800);
  t.equal(budget.reserve('requests', 100), undefined, 'an eighth is left to what has been accepted');
  body?.share('runs');
  t.match(budget.held, { requests: 0, runs: 800 });
  body?.release();
  t.equal(totalOf(budget), 800);
  t.equal(body?.resize(1100), false);
  t.equal(body?.resize(100), true);
  body?.correct(2000);
  t.ok(budget.isFull);
  t.equal(budget.reserve('deltas', 1), undefined);
  body?.release();
  t.equal(totalOf(budget), 0);
  t.throws(() => body?.release(), { message: 'memory was released twice' });
  t.end();
});

t.test('attempts get room in their order, and large requests do not overtake them', async (t) => {
  const budget = budgetOf(1000);
  const running = await granted(budget.room(600));
  const waiting = [500, 10, 400].map((bytes) => granted(budget.room(bytes)));
  t.equal(budget.held.runs, 600, 'nobody overtakes the first');
  t.equal(budget.reserve('requests', 100), undefined);
  t.not(budget.reserve('requests', 10), undefined, 'a small request does');
  running.release();
  const rooms = await Promise.all(waiting);
  t.equal(budget.held.runs, 910);
  for (const room of rooms) room.release();
  t.equal(budget.held.runs, 0);
});

t.test(
  'an attempt starts although waiting callers hold all of the memory, or it needs more than there is',
  async (t) => {
    const budget = budgetOf(1000);
    budget.charge('requests', 1000);
    const one = budget.room(300);
    t.notOk('granted' in one);
    const other = budget.room(5000);
    t.ok('granted' in other, 'one at a time');
    (await granted(one)).release();
    (await granted(other)).release();
    t.equal(budget.held.runs, 0);
  },
);

t.test('an attempt that no longer needs its room holds up neither others nor requests', async (t) => {
  const budget = budgetOf(1000);
  const running = await granted(budget.room(600));
  const cancelled = budget.room(500);
  const next = budget.room(300);
  t.equal(budget.reserve('requests', 100), undefined);
  if (!('granted' in cancelled)) throw new Error('it does not wait');
  cancelled.withdraw();
  t.equal(await cancelled.granted, undefined);
  t.equal((await granted(next)).bytes, 300);
  cancelled.withdraw();
  running.release();
  t.not(budget.reserve('requests', 100), undefined);
  t.equal(budget.held.runs, 300);
});

t.test('an attempt that has waited long is overtaken by no request', async (t) => {
  let now = 0;
  const budget = new MemoryBudget({ memoryBytes: 1000, bodyLimitBytes: 1 }, () => now);
  const running = await granted(budget.room(600));
  const waiting = granted(budget.room(500));
  now = 10_000;
  t.not(budget.reserve('requests', 10), undefined);
  now = 10_001;
  t.equal(budget.reserve('requests', 10), undefined);
  running.release();
  t.equal((await waiting).bytes, 500);
  t.not(budget.reserve('requests', 10), undefined);
});

t.test('one caller cannot fill the share of requests alone', async (t) => {
  const budget = budgetOf(100_000);
  const body = budget.reserveKnown('key:one', 40_000);
  t.equal(budget.reserveKnown('key:one', 4000), undefined);
  t.equal(body?.resize(44_000), false, 'a body that grows is refused too');
  const other = budget.reserveKnown('key:other', 40_000);
  t.not(other, undefined);
  body?.share('runs');
  body?.release();
  t.not(budget.reserveKnown('key:one', 4000), undefined, 'what runs is no longer part of it');
});

t.test('a lower limit refuses, and a higher one serves who waits', async (t) => {
  const budget = budgetOf(1000);
  await granted(budget.room(900));
  const waiting = granted(budget.room(500));
  budget.setLimits({ memoryBytes: 2000, bodyLimitBytes: 1 });
  t.equal((await waiting).bytes, 500);
  budget.setLimits({ memoryBytes: 100, bodyLimitBytes: 1 });
  t.equal(budget.reserve('requests', 1), undefined);
});

t.test('without server.memory the limit is a share of the heap, and never too small for one body', (t) => {
  const mebibyte = 1024 * 1024;
  t.ok(new MemoryBudget({ memoryBytes: undefined, bodyLimitBytes: mebibyte }).limit > 47 * mebibyte - mebibyte);
  const large = new MemoryBudget({ memoryBytes: undefined, bodyLimitBytes: 64 * mebibyte });
  t.not(large.reserve('requests', 41 * 64 * mebibyte), undefined);
  t.end();
});

t.test('an unknown sender that has become known frees its share for others', (t) => {
  const budget = new MemoryBudget({ memoryBytes: 8_000_000, bodyLimitBytes: 100_000 });
  const bodies = Array.from({ length: 3 }, () => budget.reserveUnknown('2001:db8::1', 50_000));
  t.not(bodies[1], undefined);
  t.equal(bodies[2], undefined);
  t.equal(budget.reserveUnknown('2001:db8:0:0:9::2', 50_000), undefined, 'the same network');
  t.not(budget.reserveUnknown('2001:db8:0:1::1', 50_000), undefined, 'another network');
  bodies[0]?.moveTo('requests');
  t.not(budget.reserveUnknown('2001:db8::1', 50_000), undefined);
  t.end();
});

t.test('addressBlock names the /64 network of an IPv6 address, however it is written', (t) => {
  const network = '2001:db8:0:0::/64';
  for (const ip of [
    '2001:db8::1',
    '2001:0DB8:0:0:0:0:0:1',
    '2001:db8:0:0:1:2:3:4',
    '2001:db8::1.2.3.4',
    '2001:db8::1%eth0',
  ]) {
    t.equal(addressBlock(ip), network, ip);
  }
  t.equal(addressBlock('::1'), '0:0:0:0::/64');
  t.equal(addressBlock('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(addressBlock('192.0.2.1'), '192.0.2.1');
  t.equal(addressBlock(''), '');
  t.end();
});

t.test('the sum of what is held is right after any sequence of calls', (t) => {
  const kinds: MemoryKind[] = ['requests', 'runs', 'outputs', 'deltas', 'replies', 'stored'];
  const step = fc.tuple(
    fc.constantFrom('reserve', 'unknown', 'share', 'resize', 'correct', 'release'),
    fc.nat(5),
    fc.nat(999),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = budgetOf(3000);
      const held: { reservation: Reservation; holders: number }[] = [];
      for (const [what, index, bytes] of steps) {
        const one = held[index % Math.max(1, held.length)];
        const kind = kinds[index] ?? 'runs';
        if (what === 'reserve' || what === 'unknown') {
          const reservation = what === 'unknown' ? budget.reserveUnknown('a', bytes) : budget.reserve(kind, bytes);
          if (reservation !== undefined) held.push({ reservation, holders: 1 });
        } else if (one !== undefined && one.holders > 0) {
          if (what === 'share') one.reservation.share(kind);
          if (what === 'share') one.holders += 1;
          if (what === 'resize') one.reservation.resize(bytes);
          if (what === 'correct') one.reservation.correct(bytes);
          if (what === 'release') one.reservation.release();
          if (what === 'release') one.holders -= 1;
        }
        if (totalOf(budget) !== held.reduce((sum, { reservation }) => sum + reservation.bytes, 0)) return false;
      }
      for (const { reservation, holders } of held) for (let left = holders; left > 0; left -= 1) reservation.release();
      return Object.values(budget.held).every((bytes) => bytes === 0);
    }),
  );
  t.end();
});
