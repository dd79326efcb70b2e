import t from 'tap';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { checkAgainstModel, type ModelHarness } from '../model.ts';
import { openOne, openTwo, testDatabase } from './database.ts';

const never = Number.POSITIVE_INFINITY;
const unlimited = { maxQueued: never, maxFinished: never, keepFinished: never, maxClaims: never };
const numRuns = Number(process.env.PULLCORD_TEST_MODEL_RUNS ?? 4);

t.test(
  'the postgres engine agrees with a simple model of runs and claims',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);

    await t.test('for any order of calls and restarts of a node', () => {
      const open = async (): Promise<ModelHarness> => {
        const harness = await openOne(database);
        const reopen = async () => ({ ...(await database.open({}, harness.clock)), clock: harness.clock });
        return { ...harness, reopen, isShared: true };
      };
      return checkAgainstModel(open, unlimited, numRuns);
    });

    await t.test('for any order of calls of two nodes', () =>
      checkAgainstModel(async () => ({ ...(await openTwo(database)), isShared: true }), unlimited, numRuns),
    );
  },
);
