import { askOnce, load, type Measured } from './load.ts';
import type { Row } from './rows.ts';
import type { BenchServer } from './servers.ts';
import { interquartileRange, median } from './statistics.ts';

export interface Effort {
  readonly rounds: number;
  readonly secondsPerRun: number;
}

export interface Comparison {
  readonly row: Row;
  /** Median of gateway / bare over the rounds. */
  readonly ratio: number;
  /** Interquartile range of these ratios. */
  readonly spread: number;
  readonly gateway: Side;
  readonly bare: Side;
}

/** Medians over the rounds. */
export type Side = Measured;

/** The compiler goes on improving both for some thousands of requests. */
const warmUpSeconds = 5;

/** Measures one row on both servers in turns, so that what slows the machine for a while slows both. */
export async function compare(row: Row, gateway: BenchServer, bare: BenchServer, effort: Effort): Promise<Comparison> {
  await answersAlike(row, gateway, bare);
  await load(gateway, row, warmUpSeconds);
  await load(bare, row, warmUpSeconds);
  const ofGateway: Measured[] = [];
  const ofBare: Measured[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    const isGatewayFirst = round % 2 === 0;
    const first = await load(isGatewayFirst ? gateway : bare, row, effort.secondsPerRun);
    const second = await load(isGatewayFirst ? bare : gateway, row, effort.secondsPerRun);
    const [measured, reference] = isGatewayFirst ? [first, second] : [second, first];
    ofGateway.push(measured);
    ofBare.push(reference);
    ratios.push(measured.requestsPerSecond / reference.requestsPerSecond);
  }
  return {
    row,
    ratio: median(ratios),
    spread: interquartileRange(ratios),
    gateway: sideOf(ofGateway),
    bare: sideOf(ofBare),
  };
}

/** The two must do the same for the caller, or the ratio would mean nothing. */
async function answersAlike(row: Row, gateway: BenchServer, bare: BenchServer): Promise<void> {
  // The first of two equal bodies is not yet a duplicate.
  if (row.name === 'duplicate') await askOnce(gateway, { ...row, status: 200 });
  const answer = await askOnce(gateway, row);
  const reference = await askOnce(bare, row);
  if (answer.members !== reference.members || Math.abs(answer.bytes - reference.bytes) > 30) {
    throw new Error(`${row.name}: the answers differ: ${JSON.stringify([answer, reference])}`);
  }
}

function sideOf(runs: readonly Measured[]): Side {
  return {
    requestsPerSecond: median(runs.map((run) => run.requestsPerSecond)),
    serverMicroseconds: medianOfKnown(runs.map((run) => run.serverMicroseconds)),
    serverBusy: medianOfKnown(runs.map((run) => run.serverBusy)),
    loadBusy: median(runs.map((run) => run.loadBusy)),
  };
}

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}
