import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Called } from './command-server.ts';

interface Comment {
  readonly id: number;
  readonly user: { readonly login: string };
  body: string;
}

interface State {
  readonly login: string;
  readonly readOnly: boolean;
  readonly comments: Comment[];
  readonly calls: string[];
}

/** A stand-in for GitHub's `gh api`: its comments are in the file GH_STATE, as are the calls that it got. */
export async function gh({ args, env, cwd }: Called) {
  const file = env.GH_STATE ?? '';
  const state: State = JSON.parse(await readFile(file, 'utf8'));
  const answered = await answer(state, { args, env, cwd });
  await writeFile(file, JSON.stringify(state));
  if (typeof answered === 'object') {
    return { code: 0, stdout: args.includes('--silent') ? '' : JSON.stringify(answered), stderr: '' };
  }
  return { code: answered.startsWith('gh: To use') ? 4 : 1, stdout: '', stderr: `${answered}\n` };
}

/** What it answers, or why it fails. */
async function answer(state: State, { args, env, cwd }: Called): Promise<object | string> {
  const method = args.includes('--method') ? args[args.indexOf('--method') + 1] : 'GET';
  const path = args.find((arg) => arg.startsWith('repos/') || arg === 'graphql') ?? '';
  const field = args.find((arg) => arg.startsWith('body=@')) ?? '';
  state.calls.push(`${path === 'graphql' ? 'POST' : method} ${path}`);

  if (!env.GH_TOKEN)
    return 'gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.';
  if (args[0] !== 'api') return `unknown command "${args[0]}" for "gh"`;
  if (path === 'graphql') return { data: { viewer: { login: state.login } } };
  if (method === 'GET' && /^repos\/acme\/triggers\/issues\/7\/comments\?per_page=100$/.test(path)) {
    if (!args.includes('--paginate') || !args.includes('--slurp')) return 'only some of the comments';
    return [state.comments.slice(0, 2), state.comments.slice(2)];
  }
  if (state.readOnly) return 'gh: Resource not accessible by integration (HTTP 403)';
  const body = await readFile(resolve(cwd, field.slice('body=@'.length)), 'utf8');
  if (body.length > 65_536) return 'gh: Validation Failed (HTTP 422)\nBody is too long (maximum is 65536 characters)';
  if (method === 'POST' && path === 'repos/acme/triggers/issues/7/comments') {
    const comment = { id: 1000 + state.comments.length, user: { login: state.login }, body };
    state.comments.push(comment);
    return comment;
  }
  const own = state.comments.find(({ id }) => path === `repos/acme/triggers/issues/comments/${id}`);
  if (method !== 'PATCH' || own === undefined) return 'gh: Not Found (HTTP 404)';
  own.body = body;
  return own;
}
