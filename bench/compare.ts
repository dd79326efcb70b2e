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
  /** Median of subject / reference over the rounds. */
  readonly ratio: number;
  /** Interquartile range of these ratios. */
  readonly spread: number;
  readonly subject: Side;
  readonly reference: Side;
}

/** Medians over the rounds. */
export type Side = Measured;

/** The compiler goes on improving both for some thousands of requests. */
const warmUpSeconds = 5;

/** Measures one row on both servers in turns, so that what slows the machine for a while slows both. */
export async function compare(
  row: Row,
  subject: BenchServer,
  reference: BenchServer,
  effort: Effort,
): Promise<Comparison> {
  await answersAlike(row, subject, reference);
  const loadSubject = (seconds: number) => load(subject, row, seconds);
  const loadReference = (seconds: number) => load(reference, { ...row, ...row.referenceRequest }, seconds);
  await loadSubject(warmUpSeconds);
  await loadReference(warmUpSeconds);
  const ofSubject: Measured[] = [];
  const ofReference: Measured[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    const isSubjectFirst = round % 2 === 0;
    const first = await (isSubjectFirst ? loadSubject : loadReference)(effort.secondsPerRun);
    const second = await (isSubjectFirst ? loadReference : loadSubject)(effort.secondsPerRun);
    const [measured, compared] = isSubjectFirst ? [first, second] : [second, first];
    ofSubject.push(measured);
    ofReference.push(compared);
    ratios.push(measured.requestsPerSecond / compared.requestsPerSecond);
  }
  return {
    row,
    ratio: median(ratios),
    spread: interquartileRange(ratios),
    subject: sideOf(ofSubject),
    reference: sideOf(ofReference),
  };
}

/** The two must do the same for the caller, or the ratio would mean nothing. */
async function answersAlike(row: Row, subject: BenchServer, reference: BenchServer): Promise<void> {
  // The first of two equal bodies is not yet a duplicate. The bare route has no claims: it always answers as to one.
  if (row.name === 'duplicate') {
    for (const server of row.reference === 'bare' ? [subject] : [subject, reference])
      await askOnce(server, { ...row, status: 200 });
  }
  // The answer of a gateway contains that of its agent, so it differs from the agent's own.
  if (row.agent === row.reference) return;
  const answer = await askOnce(subject, row);
  // Another request has another answer; the load checks its status.
  if (row.referenceRequest !== undefined) return;
  const compared = await askOnce(reference, row);
  if (answer.members !== compared.members || Math.abs(answer.bytes - compared.bytes) > 30) {
    throw new Error(`${row.name}: the answers differ: ${JSON.stringify([answer, compared])}`);
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
