import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import type { FunctionDefinition } from '@actions/expressions/funcs/info';
import type { Test } from 'tap';
import { pullcordScript, scriptFor } from './command-server.ts';
import { gh } from './gh.ts';

const repository = join(import.meta.dirname, '../..');

/** A step of a workflow or of a composite action, as it is written. */
export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly workspace: string;
  readonly github: object;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What the stand-in for `gh` reads and writes. */
  readonly state: string;
}

export interface EndedJob {
  readonly conclusion: 'success' | 'failure';
  /** What its steps printed. */
  readonly log: string;
  readonly summary: string;
  /** How each step that has a script ended, by its name. */
  readonly steps: Readonly<Record<string, string>>;
}

interface StepState {
  readonly outcome: 'success' | 'failure' | 'skipped';
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Runs the scripts of steps as a runner of GitHub Actions does: conditions and `${{ }}` are evaluated by GitHub's own
 * package, scripts are run by bash with its flags. Steps that use an action are left out; `npm` and `gh` are stand-ins.
 */
export async function runJob(t: Test, steps: readonly Step[], job: Job): Promise<EndedJob> {
  const temp = await mkdtemp(join(tmpdir(), 'pullcord-runner-'));
  t.teardown(() => rm(temp, { recursive: true, force: true }));
  const paths = [await standIns(t, temp), dirname(process.execPath), process.env.PATH ?? ''];
  const states: Record<string, StepState> = {};
  const ended: Record<string, string> = {};
  const logs: string[] = [];
  const summaries: string[] = [];
  let conclusion: EndedJob['conclusion'] = 'success';
  for (const [index, step] of steps.entries()) {
    if (step.run === undefined) continue;
    const context = { ...job, steps: states, runner: { temp } };
    const name = step.name ?? String(index);
    if (!isDue(step.if, context, conclusion)) {
      ended[name] = 'skipped';
      if (step.id !== undefined) states[step.id] = { outcome: 'skipped', outputs: {} };
      continue;
    }
    const files = await commandFiles(join(temp, String(index)), step.run);
    const env = { ...interpolated(job.env, context), ...interpolated(step.env, context) };
    const { code, output } = await bash(files.script, job.workspace, {
      ...env,
      PATH: paths.join(':'),
      GH_STATE: job.state,
      GITHUB_OUTPUT: files.output,
      GITHUB_PATH: files.path,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_ACTION_PATH: repository,
      GITHUB_WORKSPACE: job.workspace,
      GITHUB_REPOSITORY: 'acme/triggers',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_RUN_ID: '42',
      RUNNER_TEMP: temp,
    });
    const outcome = code === 0 ? 'success' : 'failure';
    if (outcome === 'failure') conclusion = 'failure';
    if (step.id !== undefined) states[step.id] = { outcome, outputs: pairs(await readFile(files.output, 'utf8')) };
    ended[name] = outcome;
    logs.push(output);
    summaries.push(await readFile(files.summary, 'utf8'));
    paths.unshift(...(await readFile(files.path, 'utf8')).split('\n').filter((line) => line !== ''));
  }
  return { conclusion, log: logs.join(''), summary: summaries.join(''), steps: ended };
}

/** Evaluates what stands between `${{` and `}}`. */
export function evaluate(expression: string, context: object, conclusion: EndedJob['conclusion'] = 'success') {
  const functions: FunctionDefinition[] = [
    { name: 'success', description: '', minArgs: 0, maxArgs: 0, call: () => flag(conclusion === 'success') },
    { name: 'failure', description: '', minArgs: 0, maxArgs: 0, call: () => flag(conclusion === 'failure') },
    { name: 'cancelled', description: '', minArgs: 0, maxArgs: 0, call: () => flag(false) },
  ];
  const known = JSON.parse(JSON.stringify(context), data.reviver) as data.Dictionary;
  const { tokens } = new Lexer(expression.trim()).lex();
  const parsed = new Parser(tokens, Object.keys(context), functions).parse();
  return new Evaluator(parsed, known, new Map(functions.map((one) => [one.name, one]))).evaluate();
}

/** Puts values in the place of each `${{ }}`. */
export function interpolate(written: string, context: object): string {
  return written.replace(/\$\{\{(.*?)\}\}/g, (_all, expression: string) =>
    evaluate(expression, context).coerceString(),
  );
}

function interpolated(env: Readonly<Record<string, string>> = {}, context: object): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, interpolate(String(value), context)]));
}

function isDue(condition: string | undefined, context: object, conclusion: EndedJob['conclusion']): boolean {
  if (condition === undefined) return conclusion === 'success';
  const expression = condition.replace(/^\$\{\{|\}\}$/g, '');
  const saysStatus = /\b(success|failure|cancelled|always)\(/.test(expression);
  const value = evaluate(expression, context, conclusion).coerceString();
  return (saysStatus || conclusion === 'success') && !['', 'false', '0'].includes(value);
}

function flag(value: boolean): data.BooleanData {
  return new data.BooleanData(value);
}

/**
 * `gh`, an `npm` that installs nothing, the `pullcord` that it would have installed, and a `node` that leaves pullcord's
 * own code to that.
 */
async function standIns(t: Test, temp: string): Promise<string> {
  const folder = join(temp, 'bin');
  await mkdir(folder);
  const pullcord = await pullcordScript(t, folder);
  await scriptFor(t, join(folder, 'gh'), gh);
  const programs = {
    npm: 'echo "npm $*"',
    node: `[ "$1" != "${repository}/src/cli/bin.ts" ] || { shift; exec "${pullcord}" "$@"; }\nexec "${process.execPath}" "$@"`,
  };
  for (const [name, line] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${line}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

async function commandFiles(folder: string, run: string) {
  await mkdir(folder);
  const files = {
    script: join(folder, 'script.sh'),
    output: join(folder, 'output'),
    path: join(folder, 'path'),
    summary: join(folder, 'summary'),
  };
  for (const file of Object.values(files)) await writeFile(file, file === files.script ? run : '');
  return files;
}

/** Runs a script by bash as GitHub's runners do, and GitLab's much alike. */
export async function bash(script: string, cwd: string, env: Record<string, string>) {
  const { HOME = '/', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
    cwd,
    env: { HOME, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, words, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, output: `${output}${words}` };
}

function pairs(written: string): Record<string, string> {
  const lines = written.split('\n').filter((line) => line !== '');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
