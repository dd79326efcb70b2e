import { parseArgs } from 'node:util';
import { rows } from './rows.ts';

const help = `Measures the gateway against a bare Fastify route, on this machine. All rows take about three minutes.

Usage: npm run bench -- [options]

  --quick            fewer and shorter rounds
  --rounds N         how many rounds for each row (default: 10)
  --row NAME         only this row; may be repeated
  --against FOLDER   instead of the reference of each row, the same gateway of another checkout
  --cpu-prof FOLDER  writes a CPU profile of each server into a folder
  --json             prints { "rows": [{ "name", "ratio", "spread" }] } and nothing else to stdout
  --load             only the times to load and reload 1,000 triggers
  --streams          only the memory of 2,000 open streams
  --journal          only a journal of a million finished runs against an empty one
  --help             prints this text

Rows: ${rows.map(({ name }) => name).join(' ')}
`;

/** The options of the command line. With `--help`, prints them and exits with 0; on wrong usage exits with 2. */
export function benchOptions() {
  const values = parsed();
  if (values.help) {
    process.stdout.write(help);
    process.exit(0);
  }
  for (const name of values.row ?? [])
    if (!rows.some((row) => row.name === name)) refuse(`--row ${name}: there is no such row`);
  if (!(Number(values.rounds) >= 1)) refuse(`--rounds ${values.rounds}: not a number of rounds`);
  return values;
}

function parsed() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        load: { type: 'boolean', default: false },
        journal: { type: 'boolean', default: false },
        streams: { type: 'boolean', default: false },
        row: { type: 'string', multiple: true },
        against: { type: 'string' },
        rounds: { type: 'string', default: '10' },
        'cpu-prof': { type: 'string' },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(reason: string): never {
  process.stderr.write(`error: ${reason}\n(see --help)\n`);
  process.exit(2);
}
