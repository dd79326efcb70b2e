import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfigFiles } from '../../src/config/yaml/read-files.ts';
import { projectFile, writeInto } from '../support/config-folder.ts';
import { type Git, repositoryIn } from '../support/git.ts';
import { Customers } from './customers.ts';
import { LoggingGateway } from './logging-gateway.ts';
import { type FilterPlace, fixedFiles, movedFiles, writeFiles } from './moving-filter.ts';

export interface CheckoutOptions {
  /** How often a commit is checked out. */
  readonly checkouts: number;
  /** Besides the file of their project, those that differ between the two commits. */
  readonly triggers: number;
  /** How often two files are written, one after the other. */
  readonly pairs: number;
  /** How often one file is written. */
  readonly edits: number;
  onCheckout?(count: number): void;
}

interface Times {
  readonly median: number;
  readonly longest: number;
}

/** What a checkout test saw. All counts of `faults` must be 0. */
export interface CheckoutReport {
  readonly checkouts: number;
  readonly filesThatDiffer: number;
  /** After checkouts, without those after pairs and edits. */
  readonly reloads: number;
  /** Those of them that named a commit: all, unless git took longer than a reload waits for it. */
  readonly named: number;
  readonly requests: number;
  /** Of pairs, those whose writer was not so late that each half was a state of its own. */
  readonly pairs: number;
  /** From an edit of one file, without load, until it serves. Milliseconds. */
  readonly editMs: Times;
  /** The part of it in which the gateway waited until nobody wrote the files. */
  readonly settleMs: Times;
  readonly faults: {
    /** Reloads of files that are those of no commit, or of half a pair. */
    readonly mixtures: number;
    readonly refused: number;
    /** Reloads that name another commit than that of their files. */
    readonly wrongCommits: number;
    /** Requests that no commit lets pass. */
    readonly freePassed: number;
    /** Requests that each commit lets pass. */
    readonly payingDropped: number;
    readonly otherAnswers: number;
  };
}

/** Between the two files of a pair, in milliseconds. */
const betweenMs = 250;
/** A writer that was later than this is not counted: files that stay the same for half a second are a state. */
const latestMs = 450;
/** The longest pause after a checkout that is not waited for, in milliseconds. */
const longestPauseMs = 700;

const places: readonly FilterPlace[] = ['triggers', 'project'];

/**
 * Checks out two commits in turn under load. One has a filter in the file of a project, the other in each of its triggers;
 * in between it is in neither. Then moves the filter of another project by two writes, and edits a single file.
 */
export async function checkoutTest(options: CheckoutOptions): Promise<CheckoutReport> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-checkout-'));
  let gateway: LoggingGateway | undefined;
  let customers: Customers | undefined;
  try {
    const git = await commitStates(root, options.triggers);
    const commits = await revisionsOf(root, git);
    gateway = await LoggingGateway.start(root);
    customers = new Customers(gateway.url, addresses(options.triggers));
    const allAnswered = customers.run();
    for (let count = 1; count <= options.checkouts; count += 1) {
      const { commit, revision } = commits[count % 2 === 0 ? 0 : 1];
      await git('checkout', '--quiet', commit);
      // Of five, three are waited for; the fourth is followed by the next at some time during its reload, and both cancel out.
      if (count % 5 !== 4 || count === options.checkouts) await gateway.serves(revision);
      else await sleep(Math.random() * longestPauseMs);
      options.onCheckout?.(count);
    }
    const checkedOut = gateway.reloads.length;
    const pairs = await writePairs(root, gateway, options.pairs);
    customers.stop();
    await allAnswered;
    const edits = await editOneFile(root, gateway, options.edits);
    const known = new Map(commits.map(({ commit, revision }) => [revision, commit]));
    const ofCheckouts = gateway.reloads.slice(0, checkedOut);
    const named = ofCheckouts.filter(({ gitCommit }) => gitCommit !== undefined);
    const { requests, ...answers } = customers.counts;
    return {
      checkouts: options.checkouts,
      filesThatDiffer: options.triggers + 1,
      reloads: checkedOut,
      named: named.length,
      requests,
      pairs: pairs.written,
      ...edits,
      faults: {
        mixtures: ofCheckouts.filter(({ revision }) => !known.has(revision)).length + pairs.halves,
        refused: gateway.refusals.length,
        wrongCommits: named.filter(({ revision, gitCommit }) => known.get(revision) !== gitCommit).length,
        ...answers,
      },
    };
  } finally {
    customers?.stop();
    await gateway?.stop();
    await rm(root, { recursive: true, force: true });
  }
}

/** Two commits; the first is checked out at the end. */
async function commitStates(root: string, triggers: number): Promise<Git> {
  await writeFiles(root, {
    ...fixedFiles(),
    ...movedFiles('pair', 1, 'project'),
    ...movedFiles('support', triggers, 'project'),
  });
  const git = await repositoryIn(root);
  await writeFiles(root, movedFiles('support', triggers, 'triggers'));
  await git('commit', '--quiet', '--all', '--message=second');
  return git;
}

interface State {
  readonly commit: string;
  readonly revision: string;
}

/** Of the commit before last, which is checked out afterwards, and of the last. */
async function revisionsOf(root: string, git: Git): Promise<readonly [State, State]> {
  const stateOf = async (name: string): Promise<State> => {
    const commit = await git('rev-parse', name);
    await git('checkout', '--quiet', commit);
    return { commit, revision: (await readConfigFiles(root)).revision };
  };
  const last = await stateOf('HEAD');
  return [await stateOf('HEAD~1'), last];
}

function addresses(triggers: number): readonly string[] {
  const address = (project: string, index: number) => `/api/v1.0/project/${project}/trigger/${project}-${index}`;
  // Every other request is of the pair, which has one trigger.
  return Array.from({ length: triggers }, (_, index) => [address('support', index), address('pair', 0)]).flat();
}

/** Moves the filter of the project `pair` back and forth, by two writes each. */
async function writePairs(root: string, gateway: LoggingGateway, count: number) {
  let written = 0;
  let halves = 0;
  for (let pair = 0; pair < count; pair += 1) {
    const files = Object.entries(movedFiles('pair', 1, places[pair % 2] ?? 'project'));
    const before = gateway.reloads.length;
    let latest = 0;
    for (const [index, [file, text]] of files.entries()) {
      const startedAt = performance.now();
      if (index > 0) await sleep(betweenMs);
      await writeInto(root, file, text);
      latest = Math.max(latest, performance.now() - startedAt);
    }
    await gateway.serves((await readConfigFiles(root)).revision);
    if (latest > latestMs) continue;
    written += 1;
    halves += gateway.reloads.length - before - 1;
  }
  return { written, halves };
}

async function editOneFile(root: string, gateway: LoggingGateway, count: number) {
  const times: number[] = [];
  const before = gateway.reloads.length;
  for (let edit = 0; edit < count; edit += 1) {
    const startedAt = performance.now();
    await writeInto(root, 'sales.yaml', projectFile('sales', { description: `edit ${edit}` }));
    await gateway.serves((await readConfigFiles(root)).revision);
    times.push(performance.now() - startedAt);
  }
  const reloads = gateway.reloads.slice(before);
  return { editMs: timesOf(times), settleMs: timesOf(reloads.map(({ settledMs }) => settledMs)) };
}

function timesOf(times: readonly number[]): Times {
  const sorted = times.toSorted((left, right) => left - right).map(Math.round);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, longest: sorted.at(-1) ?? 0 };
}
