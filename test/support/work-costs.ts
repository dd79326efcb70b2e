/** What expressions cost, recorded in test/filter/work-costs.json: `node test/support/work-costs.ts` writes that. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { harmlessBodies, workExpressions } from './work-cases.ts';
import { workOf } from './work-of.ts';

/** The units that each expression costs on each harmless body. */
export function costsOfWork(): Record<string, readonly number[]> {
  const costs: Record<string, readonly number[]> = {};
  for (const { expressions } of workExpressions) {
    for (const expression of expressions) {
      costs[expression] = harmlessBodies.map(
        (body) => Math.round(workOf(expression, body, 1_000_000).spent * 100) / 100,
      );
    }
  }
  return costs;
}

if (import.meta.main) {
  const lines = Object.entries(costsOfWork()).map(([name, units]) => `${JSON.stringify(name)}: [${units.join(', ')}]`);
  writeFileSync(join(import.meta.dirname, '../filter/work-costs.json'), `{\n  ${lines.join(',\n  ')}\n}\n`);
}
