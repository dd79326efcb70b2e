import type { Plugin, Stage } from '../contract/index.ts';
import { type PluginEntry, Registry } from './registry.ts';

/**
 * The built-in plugins, in the order of the stages. The only place that imports them. Each is loaded when a config uses
 * it, so that no command waits for the libraries of the others.
 */
export const builtinPlugins: readonly PluginEntry[] = [
  builtin('auth', 'api-key', () => import('../../plugins/auth/api-key/index.ts')),
  builtin('auth', 'signature', () => import('../../plugins/auth/signature/index.ts')),
  builtin('auth', 'aws-sns', () => import('../../plugins/auth/aws-sns/index.ts')),
  builtin('auth', 'jwt', () => import('../../plugins/auth/jwt/index.ts')),
  builtin('auth', 'basic', () => import('../../plugins/auth/basic/index.ts')),
  builtin('auth', 'visitor', () => import('../../plugins/auth/visitor/index.ts')),
  builtin('auth', 'none', () => import('../../plugins/auth/none/index.ts')),
  builtin('filter', 'jsonata', () => import('../../plugins/filter/jsonata/index.ts')),
  builtin('filter', 'json-schema', () => import('../../plugins/filter/json-schema/index.ts')),
  builtin('dedup', 'body', () => import('../../plugins/dedup/body/index.ts')),
  builtin('dedup', 'idempotency-key', () => import('../../plugins/dedup/idempotency-key/index.ts')),
  builtin('dedup', 'expression', () => import('../../plugins/dedup/expression/index.ts')),
  builtin('run', 'echo', () => import('../../plugins/run/echo/index.ts')),
  builtin('run', 'http', () => import('../../plugins/run/http/index.ts')),
  builtin('run', 'command', () => import('../../plugins/run/command/index.ts')),
  builtin('run', 'a2a', () => import('../../plugins/run/a2a/index.ts')),
  builtin('run', 'dify', () => import('../../plugins/run/dify/index.ts')),
  builtin('run', 'mcp', () => import('../../plugins/run/mcp/index.ts')),
  builtin('run', 'langgraph', () => import('../../plugins/run/langgraph/index.ts')),
  builtin('run', 'openai', () => import('../../plugins/run/openai/index.ts')),
  builtin('respond', 'wait', () => import('../../plugins/respond/wait/index.ts')),
  builtin('respond', 'accepted', () => import('../../plugins/respond/accepted/index.ts')),
  builtin('respond', 'stream', () => import('../../plugins/respond/stream/index.ts')),
];

/** A registry of the built-in plugins. */
export function builtinRegistry(): Registry {
  return new Registry(builtinPlugins);
}

function builtin(stage: Stage, name: string, load: () => Promise<{ readonly default: Plugin }>): PluginEntry {
  return { stage, name, load: async () => (await load()).default };
}
