import assert from 'node:assert/strict';
import { type ConformanceCase, promise } from './harness.ts';

export const noteCases: readonly ConformanceCase[] = [
  promise('a note is written only over the version that is stored', async ({ notes }) => {
    assert.equal(await notes.write('alerts', 'one \u2028 "', 1), false, 'there is none to change');
    assert.equal(await notes.write('alerts', 'one \u2028 "', 0), true);
    assert.equal(await notes.write('alerts', 'other', 0), false, 'there is one already');
    assert.deepEqual(await notes.read('alerts'), [{ key: 'alerts', text: 'one \u2028 "', version: 1 }]);
    assert.equal(await notes.write('alerts', 'two', 1), true);
    assert.equal(await notes.write('alerts', 'late', 1), false, 'another node was first');
    assert.deepEqual(await notes.read('alerts'), [{ key: 'alerts', text: 'two', version: 2 }]);
  }),
  promise('notes are found by the beginning of their keys, and removed by their version', async ({ notes }) => {
    for (const key of ['a/1', 'a/2', 'A/3', 'ab', 'a%']) await notes.write(key, key, 0);
    const keysOf = async (prefix: string) => (await notes.read(prefix)).map(({ key }) => key).sort();
    assert.deepEqual(await keysOf('a/'), ['a/1', 'a/2']);
    assert.equal(await notes.write('a/1', undefined, 2), false);
    assert.equal(await notes.write('a/1', undefined, 1), true);
    assert.deepEqual(await keysOf('a/'), ['a/2']);
    assert.equal(await notes.write('a/1', 'again', 0), true, 'a removed note does not exist');
  }),
];
