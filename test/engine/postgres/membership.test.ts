import t from 'tap';
import { Membership, type MembershipParts } from '../../../src/engine/cluster/membership.ts';
import type { NodeRecord } from '../../../src/engine/types/index.ts';
import { recordingLog } from '../../support/recording-log.ts';

const info = {
  ...{ name: 'test', version: '0', revision: 'r', commit: undefined, isDirty: false, keyDigest: '', running: 0 },
};
const leaseMs = 600_000;
/** Of the store: hours from that of this process. */
const now = 1_700_000_000_000;

/** A store that answers each beat with a node whose lease has this long to go; resolves `again` with the second beat. */
function storeWith(otherEndsInMs: number) {
  const again = Promise.withResolvers<'beats again'>();
  let beats = 0;
  const node = (life: string, leaseUntil: number): NodeRecord => ({
    ...info,
    ...{ life, leaseUntil, startedAt: now, revisionSince: now },
  });
  const store: MembershipParts['store'] = {
    register: async () => 'own',
    leave: async () => [],
    async beat() {
      beats += 1;
      if (beats === 2) again.resolve('beats again');
      const nodes = [node('own', now + leaseMs), node('other', now + otherEndsInMs)];
      return { kind: 'alive', nodes, queued: 0, owned: [], hasBuried: false, ended: [] };
    },
  };
  return { store, again: again.promise };
}

for (const [name, endsInMs, isEarly] of [
  ['ends before the next beat is looked for when it ends', 30, true],
  ['ends later is left to the next beat', leaseMs - 1000, false],
  ['is over already is left to the next beat', -1000, false],
] as const) {
  t.test(`a node whose lease ${name}`, async (t) => {
    const { store, again } = storeWith(endsInMs);
    const beaten = Promise.withResolvers<'has beaten'>();
    const membership = new Membership({
      ...{ store, log: recordingLog(), leaseMs, onPartition: 'abort' },
      info: () => info,
      begun() {},
      ended() {},
      failed() {},
      // After what the beat has planned.
      beaten: () => void setTimeout(() => beaten.resolve('has beaten'), isEarly ? leaseMs : 60).unref(),
    });
    t.teardown(() => membership.leave());
    await membership.join();
    membership.beatSoon();
    t.equal(await Promise.race([again, beaten.promise]), isEarly ? 'beats again' : 'has beaten');
  });
}
