// The short form of npm run fuzz, and what a gateway promises while it is fuzzed.
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { ConfigLoader } from '../src/config/load.ts';
import { formatProblems } from '../src/diagnostics/format.ts';
import { attempt } from './fuzz/engine/attempt.ts';
import { runCampaign } from './fuzz/engine/campaign.ts';
import { readCorpus } from './fuzz/engine/corpus-folder.ts';
import type { Found } from './fuzz/engine/found.ts';
import { fuzzTarget } from './fuzz/engine/fuzz-target.ts';
import { weightOf } from './fuzz/engine/target.ts';
import { faultyModule, targets as faultyTargets } from './fuzz/faulty-targets.ts';
import { targets } from './fuzz/targets/index.ts';
import {
  basicFiles,
  configFolder,
  gatewayFile,
  keyFile,
  projectFile,
  triggerFile,
  writeInto,
} from './support/config-folder.ts';
import { type FuzzedRequest, fuzzedRequests } from './support/fuzzed-requests.ts';
import { serveFolder, startTestGateway } from './support/gateway.ts';
import { patience } from './support/patience.ts';
import { exchangeBytes, type RawAnswer } from './support/raw-http.ts';

const example = join(import.meta.dirname, '../config');
const corpus = join(import.meta.dirname, 'fuzz/corpus');
const connections = 2500;
const atOnce = 20;
/** Bytes between two lengths at which a file is truncated. Each file starts with another length, and ends with its own. */
const stride = 3;
/** Each target gets as many steps; those that need a socket or a file, fewer. */
const steps = { cheap: 300, costly: 60 };
/** The weight up to which a target is costly. */
const mostCostly = 60;
const seed = 20_261_130;

t.test(`${connections} fuzzed connections get no 5xx, and every error is a problem document`, async (t) => {
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { port: 0, bodyLimit: '32KiB' } }),
    'triggers/echo.yaml': triggerFile('echo'),
    'triggers/once.yaml': triggerFile('once', { dedup: 'body' }),
    'triggers/pros.yaml': triggerFile('pros', { filter: 'customer.plan = "pro" or $count(*) > 3' }),
    'triggers/strict.yaml': triggerFile('strict', {
      filter: [{ uses: 'json-schema', with: { schema: { required: ['customer'] } } }],
    }),
    'triggers/paused.yaml': triggerFile('paused', { status: 'paused' }),
  });
  const { port } = gateway.gateway.address;
  const counts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(fuzzedRequests(), { minLength: atOnce, maxLength: atOnce }), async (requests) => {
      await Promise.all(
        requests.map(async (request) => {
          const outcomes = await outcomesOf(port, request);
          for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        }),
      );
    }),
    { numRuns: connections / atOnce, endOnFailure: true, reporter: throwWithoutValues },
  );
  t.comment(Object.fromEntries(counts));
  for (const outcome of [
    '200',
    'filtered',
    'duplicate',
    'invalid_body',
    'bad_request',
    'unauthorized',
    'trigger_not_found',
  ]) {
    t.ok(counts.get(outcome), `${outcome} was among the answers`);
  }
  t.ok((counts.get('no answer') ?? 0) < connections / 5, 'nearly all were answered');
  t.strictSame(
    gateway.log.filter(({ level }) => level === 'error'),
    [],
  );
  t.equal((await gateway.fire('echo', { instruction: 'still there?' })).status, 200);
});

for (const target of targets) {
  t.test(`fuzz ${target.name}: every input has an outcome that is allowed`, async (t) => {
    const earlier = readCorpus(corpus, target.name);
    const opened = await target.open();
    for (const input of earlier) await t.resolves(async () => attempt(opened, input), 'an input of the corpus');
    await opened.close?.();
    const report = await fuzzTarget(target, {
      seed,
      steps: weightOf(target) <= mostCostly ? steps.costly : steps.cheap,
    });
    t.strictSame(report.faults.map(describeFound), []);
    t.ok(report.corpus > 1, 'outcomes are distinguished');
  });
}

t.test('the fuzzer reports each kind of fault with its input, and goes on after it', async (t) => {
  const reports = await runCampaign({
    ...{ module: faultyModule, targets: faultyTargets, seed, steps: 200 * faultyTargets.length, jobs: 2 },
    ...{ hangMs: patience(1500), restarts: 1, folders: [], grows: join(await configFolder(t, {}), 'grown') },
  });
  const kinds = Object.fromEntries(reports.map(({ target, faults }) => [target, faults.map(({ kind }) => kind)]));
  t.match(kinds, {
    sound: [],
    throws: ['crash'],
    exits: ['crash'],
    'hangs at once': ['hang'],
    'never settles': ['hang'],
    'answers 500': ['server error'],
    'works too much': ['work beyond its limit'],
    lies: ['broken promise'],
  });
  for (const { target, faults } of reports) {
    for (const { input } of faults) t.match(input.toString('latin1'), /!/, `the input of ${target}`);
    if (target === 'throws') t.equal(faults[0]?.input.toString('latin1'), '!', 'an input is shortened');
  }
  t.equal(reports.find(({ target }) => target === 'sound')?.steps, 200);
});

t.test('a config file truncated anywhere loads or reports its problems', async (t) => {
  const { sources } = await new ConfigLoader(example).load();
  const files = [...sources.keys()].map((file) => relative(example, file));
  const refused = await Promise.all(files.map((file, index) => refusedCuts(t, file, index % stride)));
  t.ok(Math.max(...refused) > 300, 'in the middle of a file nearly every cut is an error');
});

/** Truncates one file of the example config again and again; returns how often the config was refused. */
async function refusedCuts(t: Test, file: string, shortest: number): Promise<number> {
  // What the file needs to be a config: each further file is read at each cut.
  const trigger = file.replace('.test.yaml', '.yaml');
  const project = /^projects\/\w+\//.exec(file)?.[0];
  const projects = (project ? [project] : ['projects/support/', 'projects/engineering/']).map(
    (folder) => `${folder}project.yaml`,
  );
  const { triggers = [], limits = [] } = parse(await readFile(join(example, file), 'utf8')) as {
    triggers?: readonly string[];
    limits?: readonly object[];
  };
  const granted = triggers.map((name) => `projects/${name.replace('/', '/triggers/')}.yaml`);
  const prices = limits.some((limit) => 'cost' in limit) ? ['prices.yaml'] : [];
  const needed = new Set(['gateway.yaml', ...prices, ...projects, ...granted, trigger, file]);
  // All in one folder: each further one is listed at each cut.
  const flat = (name: string) => name.replaceAll('/', '-');
  const texts = [...needed].map(async (name) => [flat(name), await readFile(join(example, name), 'utf8')] as const);
  const root = await configFolder(t, Object.fromEntries(await Promise.all(texts)));
  const loader = new ConfigLoader(root);
  const bytes = await readFile(join(example, file));
  let refused = 0;
  for (const length of lengthsTo(bytes.length, shortest)) {
    await writeFile(join(root, flat(file)), bytes.subarray(0, length));
    const loaded = await loader.load();
    if (loaded.ok) continue;
    refused += 1;
    const reason = loaded.problems.find(({ severity }) => severity === 'error');
    const text = formatProblems(loaded.problems, loaded.sources, { format: 'text' });
    if (reason === undefined || !text.includes(reason.message)) t.fail(`${file} cut to ${length} bytes: ${text}`);
    if (length === bytes.length) t.fail(`${file} as a whole: ${text}`);
  }
  return refused;
}

function* lengthsTo(end: number, shortest: number): Generator<number> {
  for (let length = shortest; length < end; length += stride) yield length;
  yield end;
}

t.test('a gateway keeps serving the last valid config while a file is truncated', async (t) => {
  const root = await exampleCopy(t);
  await writeInto(root, 'gateway.yaml', gatewayFile());
  await writeInto(root, 'echo/project.yaml', projectFile('support-test'));
  await writeInto(root, 'echo/trigger.yaml', triggerFile('fuzz-echo', { project: 'support-test' }));
  await writeInto(root, 'echo/key.yaml', keyFile('all', { projects: ['support-test'] }));
  const { gateway, fire } = await serveFolder(t, root);
  const { sources } = await new ConfigLoader(root).load();
  const before = gateway.revision;
  let refused = 0;
  for (const file of sources.keys()) {
    if (relative(root, file) === 'gateway.yaml') continue;
    const bytes = await readFile(file);
    for (const share of [0, 0.2, 0.45, 0.7, 0.95]) {
      const serving = gateway.revision;
      await writeFile(file, bytes.subarray(0, Math.floor(bytes.length * share)));
      const report = await gateway.reloader.reload();
      if (!report.ok) {
        refused += 1;
        t.equal(gateway.revision, serving, `${file} cut to ${share * 100} %`);
        const answer = await fire(
          'fuzz-echo',
          { share },
          { project: 'support-test', secret: 'pc_all_secret_of_the_tests' },
        );
        t.equal(answer.status, 200, `${file} cut to ${share * 100} %`);
      }
    }
    await writeFile(file, bytes);
    t.ok((await gateway.reloader.reload()).ok);
    t.equal(gateway.revision, before, `${file} restored`);
  }
  t.ok(refused > 20);
});

function describeFound({ kind, message, stack, input }: Found): string {
  return `${kind}: ${message} on ${JSON.stringify(input.toString('latin1'))}\n${stack}`;
}

/** The codes of errors, and the statuses of other answers. Throws if an answer breaks what holds for all of them. */
async function outcomesOf(port: number, { bytes, methods }: FuzzedRequest): Promise<string[]> {
  try {
    const answers = await exchangeBytes(port, bytes, methods);
    return answers.length === 0
      ? ['no answer']
      : answers.map((answer, index) => outcomeOf(answer, methods[index] === 'HEAD'));
  } catch (error) {
    throw new Error(`on ${JSON.stringify(bytes.toString('latin1').slice(0, 2000))}: ${error}`);
  }
}

function outcomeOf({ status, headers, body }: RawAnswer, isHead: boolean): string {
  if (status >= 500) throw new Error(`${status}: ${body}`);
  if (status < 400) return String(status);
  if (headers.get('content-type') !== 'application/problem+json') throw new Error(`${status} is no problem: ${body}`);
  if (isHead) return `${status} to HEAD`;
  const problem = JSON.parse(body);
  if (problem.status !== status || typeof problem.code !== 'string' || typeof problem.requestId !== 'string') {
    throw new Error(`${status} lacks members: ${body}`);
  }
  return problem.code;
}

/** The values of a failed run are hundreds of kilobytes; its error tells the one that matters. */
function throwWithoutValues({
  failed,
  seed,
  counterexamplePath,
  errorInstance,
}: fc.RunDetails<[FuzzedRequest[]]>): void {
  if (failed) throw new Error(`seed ${seed}, path ${counterexamplePath}: ${errorInstance}`);
}

async function exampleCopy(t: Test): Promise<string> {
  const root = await configFolder(t, {});
  await cp(example, join(root, 'config'), { recursive: true });
  return join(root, 'config');
}
