import { OptionsError, type OptionsProblem, type PluginContext, type RunPlugin } from '../../../src/contract/index.ts';
import { baseEnvironment, type Environment, faultsOfEnvironment, runEnvironment } from '../environment.ts';
import { findProgram, type Program } from '../program.ts';
import { type AgentProcess, type Ending, startAgent } from './agent-process.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { resultOf } from './result.ts';

/**
 * Runs on Linux and macOS: it rests on process groups. What leaves its group (`setsid`) outlives its run, and what runs
 * while the gateway is killed with SIGKILL outlives the gateway, whose next start then executes the run again.
 */
export default {
  contract: 'v1',
  stage: 'run',
  name: 'command',
  summary: 'Starts a program that reads the input as JSON on stdin and writes its answer on stdout.',
  optionsSchema: schema,
  async create(context, options) {
    const environment = baseEnvironment(process.env, options.env);
    const program = await checkOptions(options, environment, context);
    const limits = {
      timeoutMs: options.timeout,
      maxOutputBytes: options.maxOutput,
      killGraceMs: options.killGrace,
    };
    const running = new Set<AgentProcess>();
    context.onClose(async () => {
      for (const agent of running) agent.stop('close');
      await Promise.all([...running].map((agent) => agent.ended));
    });
    return {
      async execute(run, { signal }) {
        if (signal.aborted) return resultOf({ kind: 'stopped', cause: 'abort' }, options);
        const agent = startAgent(
          program,
          { ...environment, ...runEnvironment(run) },
          JSON.stringify(run.input),
          limits,
        );
        running.add(agent);
        const onAbort = (): void => agent.stop('abort');
        signal.addEventListener('abort', onAbort, { once: true });
        const ending = await agent.ended;
        signal.removeEventListener('abort', onAbort);
        running.delete(agent);
        const result = resultOf(ending, options);
        if (result.kind === 'failed') context.log.warn({ runId: run.id, ...logFields(ending, agent) }, 'agent failed');
        return result;
      },
    };
  },
} satisfies RunPlugin<Options>;

async function checkOptions(options: Options, environment: Environment, context: PluginContext): Promise<Program> {
  if (process.platform === 'win32') throw new Error('the command plugin needs Linux or macOS');
  const { program, problems } = await findProgram(options, environment, context);
  const all: OptionsProblem[] = [...problems, ...faultsOfEnvironment(options.env)];
  if (options.timeout === 0) all.push({ pointer: '/timeout', message: 'must be longer than nothing' });
  if (all.length > 0) throw new OptionsError(all);
  return program;
}

/** How it ended, and how much it wrote: what it wrote may hold what the log must not. */
function logFields(ending: Ending, { written }: AgentProcess): object {
  return ending.kind === 'exited' ? { kind: ending.kind, code: ending.code, ...written } : { ...ending, ...written };
}
