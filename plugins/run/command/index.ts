import { OptionsError, type OptionsProblem, type PluginContext, type RunPlugin } from '../../../src/contract/index.ts';
import {
  baseEnvironment,
  createUsageReader,
  type Environment,
  environmentProblems,
  exactInput,
  findProgram,
  type Program,
  runEnvironment,
  settle,
  withDetail,
} from '../../../src/run-kit/index.ts';
import { type AgentProcess, type Ending, startAgent } from './agent-process.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { answerIn, resultOf } from './result.ts';
import { StreamedText } from './streamed-text.ts';

/**
 * Needs the process groups of Linux or macOS. A process that leaves its group (`setsid`) outlives its run. A program that
 * runs while the gateway is killed with SIGKILL outlives the gateway, whose next start executes the run again.
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
    const limits = { maxOutputBytes: options.maxOutput, killGraceMs: options.killGrace };
    const usage = createUsageReader(context, options.usage, ['stderr']);
    const running = new Set<AgentProcess>();
    context.onClose(async () => {
      for (const agent of running) agent.stop('close');
      await Promise.all([...running].map((agent) => agent.ended));
    });
    return {
      timeoutMs: options.timeout,
      reportsUsage: usage !== undefined,
      execute: (run, host) =>
        settle(host, async ({ signal, progress }) => {
          // The option may name a trace of its own; it cannot have a variable that names the run.
          const variables = { ...runEnvironment(run), ...environment };
          const streamed = options.stream ? new StreamedText(progress) : undefined;
          const input = JSON.stringify(exactInput(run));
          const agent = startAgent(program, variables, input, limits, (chunk) => streamed?.write(chunk));
          running.add(agent);
          // Also when the gateway stops: the program would outlive it, and the next start executes the run again.
          signal.addEventListener('abort', () => agent.stop('abort'), { once: true });
          const ending = await agent.ended;
          running.delete(agent);
          const result = resultOf(ending, options);
          streamed?.end(result);
          if (result.kind === 'failed' && !signal.aborted) {
            const { id: runId, requestId } = run;
            context.log.warn({ runId, requestId, ...logFields(ending, agent) }, 'agent failed');
            const failure = withDetail(result, result.detail ?? agent.lastWords);
            return usage?.withUsage(failure, answerIn(ending, options), run, { stderr: agent.lastWords }) ?? failure;
          }
          if (result.kind === 'failed') return result;
          const used = await usage?.of(result.output, run, { stderr: agent.lastWords });
          return used === undefined ? result : { ...result, usage: used };
        }),
    };
  },
} satisfies RunPlugin<Options>;

async function checkOptions(options: Options, environment: Environment, context: PluginContext): Promise<Program> {
  if (process.platform === 'win32') throw new Error('the command plugin needs Linux or macOS');
  const { program, problems } = await findProgram(options, environment, context);
  const all = [...problems, ...environmentProblems(options.env), ...streamProblems(options)];
  if (all.length > 0) throw new OptionsError(all);
  return program;
}

/** The pieces of a stream are text, and their whole is the output. */
function streamProblems({ stream, output }: Options): readonly OptionsProblem[] {
  if (!stream || output === 'text') return [];
  return [{ pointer: '/stream', message: 'only text can be streamed', hint: 'Add `output: text`.' }];
}

/** How it ended and how much it wrote. The output itself may hold payload, which does not belong in the log. */
function logFields(ending: Ending, { written }: AgentProcess): object {
  return ending.kind === 'exited' ? { kind: ending.kind, code: ending.code, ...written } : { ...ending, ...written };
}
