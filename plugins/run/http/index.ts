import { type Completion, OptionsError, type RunPlugin } from '../../../src/contract/index.ts';
import { optionProblems, settle } from '../../../src/run-kit/index.ts';
import { HttpAgent } from './agent.ts';
import { DetachedWork } from './detached-work.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { secretProblems } from './signature.ts';

export default {
  contract: 'v1',
  stage: 'run',
  name: 'http',
  summary: 'Sends the input to an agent that listens on HTTP, as JSON, and takes its answer as the output.',
  optionsSchema: schema,
  create(context, options) {
    checkOptions(options);
    const agent = new HttpAgent(context, options);
    const { detached, timeout: timeoutMs, usage } = options;
    const reportsUsage = usage !== undefined;
    if (detached === undefined) {
      return {
        timeoutMs,
        reportsUsage,
        execute: (run, host) => settle(host, async ({ signal }) => agent.resultOf(run, await agent.begin(run, signal))),
      };
    }
    const work = new DetachedWork(agent, detached, timeoutMs);
    return {
      timeoutMs: detached.timeout,
      reportsUsage,
      execute: (run, host) => settle(host, (attempt) => work.begin(run, attempt)),
      resume: (run, handle, host) =>
        settle(host, (attempt) => work.resume(run, handle, attempt), work.stopOf(run, handle)),
      ...(detached.completion && { complete: (completion: Completion) => work.complete(completion) }),
    };
  },
} satisfies RunPlugin<Options>;

function checkOptions({ url, headers, sign, detached }: Options): void {
  const problems = optionProblems({ urls: { '/url': url }, headers });
  if (detached !== undefined && detached.completion === undefined && detached.poll === undefined) {
    const message = 'has neither `completion` nor `poll`: the end of the work would stay unknown';
    problems.push({ pointer: '/detached', message });
  }
  if (sign !== undefined) problems.push(...secretProblems(sign.secrets, '/sign/secrets'));
  if (problems.length > 0) throw new OptionsError(problems);
}
