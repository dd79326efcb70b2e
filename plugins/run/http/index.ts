import {
  type Completion,
  OptionsError,
  type OptionsProblem,
  type RunPlugin,
  type RunRequest,
} from '../../../src/contract/index.ts';
import {
  type AgentAttempt,
  AgentClient,
  createConclusion,
  createMapping,
  namedInLowerCase,
  optionProblems,
  settle,
  within,
} from '../../../src/run-kit/index.ts';
import { HttpAgent } from './agent.ts';
import { CompletionAddresses } from './completion-address.ts';
import { DetachedWork } from './detached-work.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { secretProblems, signerOf } from './signature.ts';

export default {
  contract: 'v1',
  stage: 'run',
  name: 'http',
  summary: 'Sends the input to an agent that listens on HTTP, as JSON, and takes its answer as the output.',
  optionsSchema: schema,
  create(context, options) {
    checkOptions(options);
    const { method, sign, detached, timeout: requestTimeoutMs } = options;
    const headers = { accept: 'application/json, text/*;q=0.9', ...namedInLowerCase(options.headers) };
    const client = new AgentClient(context, { ...options, headers });
    const conclude = createConclusion(context, options.output, ['response']);
    const agent = new HttpAgent(client, conclude, sign && signerOf(sign.secrets));
    const mapping = options.request === undefined ? undefined : createMapping(context, '/request', options.request);
    const completion = detached?.completion;
    const completions = completion && new CompletionAddresses(new URL(completion.gateway), completion.secrets);

    async function ask(run: RunRequest, signal: AbortSignal, headers = {}) {
      const mapped = (await mapping?.apply(run.input, run)) ?? { ok: true, value: run.input };
      if (!mapped.ok) return mapped.failure;
      return agent.ask(run, { method, body: JSON.stringify(mapped.value ?? null), headers }, signal);
    }

    if (detached === undefined) {
      return {
        timeoutMs: requestTimeoutMs,
        execute: (run, host) =>
          settle(host, async ({ signal }) => {
            const response = await ask(run, signal);
            return 'kind' in response ? response : agent.resultOf(run, response);
          }),
      };
    }
    const intervalMs = detached.poll?.interval;
    const work = new DetachedWork({ agent, completions, intervalMs, pollTimeoutMs: requestTimeoutMs });

    async function begin(run: RunRequest, attempt: AgentAttempt) {
      const headers = completions && { 'pullcord-completion-url': completions.of(run) };
      // Only work that can be cancelled is worth waiting for its name.
      const signal = intervalMs === undefined ? attempt.signal : attempt.lingering;
      return within(requestTimeoutMs, signal, async (signal) => {
        const response = await ask(run, signal, headers);
        if ('kind' in response) return response;
        return response.status === 202 ? work.begin(run, response, attempt) : agent.resultOf(run, response);
      });
    }

    return {
      timeoutMs: detached.timeout,
      execute: (run, host) => settle(host, (attempt) => begin(run, attempt)),
      resume: (run, handle, host) =>
        settle(host, (attempt) => work.resume(run, handle, attempt), work.stopOf(run, handle)),
      ...(completions && { complete: (completion: Completion) => work.complete(completion) }),
    };
  },
} satisfies RunPlugin<Options>;

function checkOptions({ url, headers, sign, detached }: Options): void {
  const gateway = detached?.completion?.gateway;
  const urls = { '/url': url, '/detached/completion/gateway': gateway };
  const problems: OptionsProblem[] = optionProblems({ urls, headers });
  if (gateway !== undefined && URL.canParse(gateway)) {
    const { pathname, search } = new URL(gateway);
    const message = 'must have no path: the gateway knows its own';
    if (pathname !== '/' || search !== '') problems.push({ pointer: '/detached/completion/gateway', message });
  }
  if (detached !== undefined && detached.completion === undefined && detached.poll === undefined) {
    const message = 'has neither `completion` nor `poll`: the end of the work would stay unknown';
    problems.push({ pointer: '/detached', message });
  }
  if (sign !== undefined) problems.push(...secretProblems(sign.secrets, '/sign/secrets'));
  if (problems.length > 0) throw new OptionsError(problems);
}
