import { OptionsError, type OptionsProblem, type PluginContext } from '../../../src/contract/index.ts';
import {
  AgentClient,
  baseEnvironment,
  type Environment,
  environmentProblems,
  findProgram,
  optionProblems,
  type Program,
} from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** Where the server is, or which program it is. */
export type ServerAddress = { readonly kind: 'http'; readonly agent: AgentClient } | ServerProgram;

export interface ServerProgram {
  readonly kind: 'program';
  readonly program: Program;
  readonly environment: Environment;
}

/** Returns what the options name. Throws an OptionsError if no server could be reached by them. */
export async function checkOptions(options: Options, context: PluginContext): Promise<ServerAddress> {
  const { url, argv, headers, env, connections, maxResponse } = options;
  const problems: OptionsProblem[] = misplaced(options);
  if (url !== undefined) {
    // The headers by which client and server of MCP negotiate.
    problems.push(...optionProblems({ urls: { '/url': url }, headers, reserved: /^(?:mcp-.*|accept|last-event-id)$/ }));
    if (problems.length > 0) throw new OptionsError(problems);
    // Twice as many, so that replies to the server are sent while all calls are waiting.
    return {
      kind: 'http',
      agent: new AgentClient(context, { url, headers, maxResponse, connections: 2 * connections }),
    };
  }
  const [name, ...rest] = argv ?? [];
  if (name === undefined || problems.length > 0) throw new OptionsError(problems);
  if (process.platform === 'win32') throw new Error('argv requires Linux or macOS');
  const environment = baseEnvironment(process.env, env);
  const found = await findProgram({ ...options, argv: [name, ...rest] }, environment, context);
  problems.push(...found.problems, ...environmentProblems(env));
  if (problems.length > 0) throw new OptionsError(problems);
  return { kind: 'program', program: found.program, environment };
}

/** Options of one kind of server that are given for the other. */
function misplaced({ url, argv, headers, env, cwd }: Options): OptionsProblem[] {
  if ((url === undefined) === (argv === undefined)) {
    const hint = 'url for a server that listens on HTTP, argv for one that is a program.';
    return [{ pointer: url === undefined ? '' : '/argv', message: 'requires either url or argv', hint }];
  }
  const problem = (name: string, other: string) => [{ pointer: `/${name}`, message: `is for ${other} only` }];
  if (url === undefined) return Object.keys(headers).length > 0 ? problem('headers', 'url') : [];
  return [
    ...(Object.keys(env).length > 0 ? problem('env', 'argv') : []),
    ...(cwd !== undefined ? problem('cwd', 'argv') : []),
  ];
}
