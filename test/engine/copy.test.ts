import t from 'tap';
import type { CopyCounts } from '../../src/engine/copy/copy-store.ts';
import type { OpenedEngine } from '../../src/engine/definition.ts';
import { skipWithoutPostgres } from '../support/postgres.ts';
import { allRows, shown } from './copy/contents.ts';
import { fill } from './copy/filled-store.ts';
import { copy, newPath, openJournal, sourceOf } from './copy/stores.ts';
import { testDatabase } from './postgres/database.ts';

function copied(counts: CopyCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, { copied }]) => [name, copied]));
}

function present(counts: CopyCounts): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, { alreadyThere }]) => [name, alreadyThere]));
}

/** What the engine shows of a store, which is closed again. */
async function shownBy(opening: Promise<OpenedEngine>) {
  const opened = await opening;
  const all = await shown(opened);
  await opened.engine.close(0);
  return all;
}

t.test(
  'a store of all states is the same in postgres, and in a journal again',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);
    for (const seed of [1, 2]) {
      await database.empty();
      const [path, back] = [await newPath(t), await newPath(t)];
      const runs = await fill(await openJournal(path), 240, seed);
      const rows = await allRows(await sourceOf('sqlite', path));
      t.ok(runs.length > 220);
      const counts = await copy(['sqlite', path], ['postgres', database.url]);
      t.ok(
        Object.values(copied(counts)).every((count) => count > 0),
        JSON.stringify(counts),
      );
      t.strictSame(await allRows(await sourceOf('postgres', database.url)), rows);
      const again = await copy(['sqlite', path], ['postgres', database.url]);
      t.strictSame(present(again), copied(counts));
      t.ok(Object.values(copied(again)).every((count) => count === 0));
      t.strictSame(await allRows(await sourceOf('postgres', database.url)), rows);

      const backCounts = await copy(['postgres', database.url], ['sqlite', back]);
      t.strictSame(copied(backCounts), copied(counts));
      t.strictSame(await allRows(await sourceOf('sqlite', back)), rows);
      t.strictSame(present(await copy(['postgres', database.url], ['sqlite', back])), copied(counts));

      const inPostgres = await shownBy(database.open());
      t.strictSame(await shownBy(openJournal(back)), inPostgres);
      const atFirst = await shownBy(openJournal(path));
      const isInterrupted = new Set(atFirst.runs.filter(({ state }) => state === 'running').map(({ id }) => id));
      const others = ({ runs, ...rest }: typeof atFirst) => ({
        ...rest,
        runs: runs.filter(({ id }) => !isInterrupted.has(id)),
        got: rest.got.filter((run) => run !== undefined && !isInterrupted.has(run.id)),
      });
      t.equal(isInterrupted.size, 1);
      t.strictSame(others(inPostgres), others(atFirst));
    }
  },
);

t.test(
  'a copy that was cut short after any batch is completed by the next',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);
    const path = await newPath(t);
    await fill(await openJournal(path), 160);
    const expected = await allRows(await sourceOf('sqlite', path));
    for (let last = 0, isComplete = false; !isComplete; last += 1) {
      await database.empty();
      let batches = 0;
      const cut = copy(['sqlite', path], ['postgres', database.url], ({ isComplete }) => {
        if (isComplete) return;
        batches += 1;
        if (batches > last) throw new Error('cut short');
      });
      isComplete = await cut.then(
        () => true,
        () => false,
      );
      const { pendingRuns } = await copy(['sqlite', path], ['postgres', database.url]);
      t.ok(pendingRuns.copied + pendingRuns.alreadyThere > 0);
      t.strictSame(await allRows(await sourceOf('postgres', database.url)), expected, `after ${last} batches`);
    }
  },
);
