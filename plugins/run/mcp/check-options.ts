import {
  OptionsError,
  type OptionsProblem,
  type OutboundClient,
  type PluginContext,
} from '../../../src/contract/index.ts';
import { baseEnvironment, type Environment, faultsOfEnvironment } from '../environment.ts';
import { faultsOfHeaders } from '../header-options.ts';
import { findProgram, type Program } from '../program.ts';
import { targetUrl } from '../target-url.ts';
import type { Options } from './options.gen.ts';

/** Where the server is, or what it is. */
export type ServerAddress =
  | { readonly kind: 'http'; readonly url: URL }
  | { readonly kind: 'program'; readonly program: Program; readonly environment: Environment };

/** Refuses options by which no server could be reached. */
export async function checkOptions(
  options: Options,
  context: PluginContext,
  client: OutboundClient,
): Promise<ServerAddress> {
  const { url, argv, timeout, maxResponse } = options;
  const problems: OptionsProblem[] = misplaced(options);
  if (timeout === 0) problems.push({ pointer: '/timeout', message: 'must be longer than nothing' });
  if (maxResponse === 0) problems.push({ pointer: '/maxResponse', message: 'must be larger than nothing' });
  if (url !== undefined) {
    problems.push(...faultsOfHeaders(options.headers), ...mcpHeaders(options.headers));
    if (problems.length === 0) return { kind: 'http', url: targetUrl(context, client, '/url', url) };
  } else if (argv !== undefined) {
    if (process.platform === 'win32') throw new Error('argv needs Linux or macOS');
    const environment = baseEnvironment(process.env, options.env);
    const [name = '', ...rest] = argv;
    const { program, problems: faults } = await findProgram(
      { ...options, argv: [name, ...rest] },
      environment,
      context,
    );
    problems.push(...faults, ...faultsOfEnvironment(options.env));
    if (problems.length === 0) return { kind: 'program', program, environment };
  }
  throw new OptionsError(problems);
}

/** Options of the one sort of server that are given for the other. */
function misplaced({ url, argv, headers, env, cwd }: Options): OptionsProblem[] {
  if ((url === undefined) === (argv === undefined)) {
    const hint = 'url for a server that listens on HTTP, argv for one that is a program.';
    return [{ pointer: url === undefined ? '' : '/argv', message: 'needs either url or argv', hint }];
  }
  const problem = (name: string, other: string) => [{ pointer: `/${name}`, message: `goes with ${other} only` }];
  if (url === undefined) return Object.keys(headers).length > 0 ? problem('headers', 'url') : [];
  return [
    ...(Object.keys(env).length > 0 ? problem('env', 'argv') : []),
    ...(cwd !== undefined ? problem('cwd', 'argv') : []),
  ];
}

/** Headers by which client and server of MCP understand each other. */
function mcpHeaders(headers: Options['headers']): OptionsProblem[] {
  return Object.keys(headers)
    .filter((name) => /^(mcp-.*|accept|last-event-id)$/i.test(name))
    .map((name) => ({ pointer: `/headers/${name}`, message: 'is a header that the gateway itself sets' }));
}
