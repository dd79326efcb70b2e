import type { RunsAccess } from '../access.ts';
import { Costs } from './costs.ts';
import type { BulkItem } from './report.ts';

/** How many of the latest runs of a trigger say what another one will cost. */
const latest = '50';

/** What these would cost, by trigger: as the latest runs did on average that have a cost. */
export async function expectedCosts(
  access: RunsAccess,
  triggers: readonly (readonly [string, readonly BulkItem[]])[],
): Promise<ReadonlyMap<string, Costs>> {
  const costs = new Map<string, Costs>();
  for (const [trigger, items] of triggers) {
    const listed = await access.list({ trigger, state: 'succeeded', limit: latest });
    const known = (listed.ok ? listed.runs : []).flatMap(({ cost }) => (cost === undefined ? [] : [Object(cost)]));
    const amount = known.reduce((sum, one) => sum + Number(one.amount), 0) / known.length;
    const expected = new Costs();
    expected.add(known.length === 0 ? undefined : { amount, currency: known[0].currency }, items.length);
    costs.set(trigger, expected);
  }
  return costs;
}
