import {
  type Attempt,
  type Completion,
  type JsonValue,
  OptionsError,
  type OptionsProblem,
  type OutboundClient,
  type PluginContext,
  type RunPlugin,
  type RunRequest,
} from '../../../src/contract/index.ts';
import { withinDeadline } from '../deadline.ts';
import { faultsOfHeaders } from '../header-options.ts';
import { legacySignal } from '../legacy-signal.ts';
import { createMapping } from '../mapping.ts';
import { targetUrl } from '../target-url.ts';
import { HttpAgent } from './agent.ts';
import { CompletionAddresses } from './completion-address.ts';
import { DetachedWork } from './detached-work.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { configuredHeaders } from './request-headers.ts';
import { faultsOfSecrets, signerOf } from './signature.ts';

export default {
  contract: 'v1',
  stage: 'run',
  name: 'http',
  summary: 'Sends the input to an agent that listens on HTTP, as JSON, and takes its answer as the output.',
  optionsSchema: schema,
  create(context, options) {
    checkOptions(options);
    const { method, timeout: timeoutMs, maxResponse: maxResponseBytes, connections, sign } = options;
    const client = context.outbound({ connections, maxResponseBytes });
    const url = targetUrl(context, client, '/url', options.url);
    const request = options.request === undefined ? undefined : createMapping(context, '/request', options.request);
    const agent = new HttpAgent({
      client,
      headers: configuredHeaders(options.headers),
      sign: sign && signerOf(sign.secrets),
      output:
        options.output === undefined ? undefined : createMapping(context, '/output', options.output, ['response']),
    });
    const completions = completionsOf(context, client, options.detached);
    const detached = options.detached && detachedWork(agent, url, completions, options.detached, timeoutMs);
    return {
      execute(run, { signal }) {
        return withinDeadline(timeoutMs, signal, async (limit) => {
          const mapped = request && (await request.apply(run.input, run));
          if (mapped?.ok === false) return mapped.failure;
          const body = JSON.stringify(mapped === undefined ? run.input : (mapped.value ?? null));
          const headers = completions && { 'pullcord-completion-url': completions.of(run) };
          const asked = await agent.ask(run, { method, url, body, ...(headers && { headers }) }, limit);
          if (!asked.ok) return asked.failure;
          if (detached !== undefined && asked.response.status === 202) return detached.begin(asked.response);
          return agent.resultOf(run, asked.response);
        });
      },
      ...(detached && {
        resume: (run: RunRequest, handle: JsonValue, attempt: Attempt) =>
          detached.resume(run, handle, legacySignal(attempt)),
      }),
      ...(detached && completions && { complete: (completion: Completion) => detached.complete(completion) }),
    };
  },
} satisfies RunPlugin<Options>;

function checkOptions({ headers, timeout, sign, detached }: Options): void {
  const problems: OptionsProblem[] = faultsOfHeaders(headers);
  if (timeout === 0) problems.push({ pointer: '/timeout', message: 'must be longer than nothing' });
  if (detached?.poll?.interval === 0) {
    problems.push({ pointer: '/detached/poll/interval', message: 'must be longer than nothing' });
  }
  if (detached?.timeout === 0) problems.push({ pointer: '/detached/timeout', message: 'must be longer than nothing' });
  if (detached !== undefined && detached.completion === undefined && detached.poll === undefined) {
    problems.push({
      pointer: '/detached',
      message: 'names neither `completion` nor `poll`: nobody would tell the end',
    });
  }
  if (sign !== undefined) problems.push(...faultsOfSecrets(sign.secrets, '/sign/secrets'));
  if (problems.length > 0) throw new OptionsError(problems);
}

function completionsOf(
  context: PluginContext,
  client: OutboundClient,
  detached: Options['detached'],
): CompletionAddresses | undefined {
  if (detached?.completion === undefined) return undefined;
  const { gateway, secrets } = detached.completion;
  const quiet = { ...context, report() {} };
  const url = targetUrl(quiet, client, '/detached/completion/gateway', gateway);
  if (url.pathname !== '/' || url.search !== '') {
    const message = 'must have no path: the gateway knows its own';
    throw new OptionsError([{ pointer: '/detached/completion/gateway', message }]);
  }
  return new CompletionAddresses(url, secrets);
}

function detachedWork(
  agent: HttpAgent,
  url: URL,
  completions: CompletionAddresses | undefined,
  { poll, timeout: timeoutMs }: NonNullable<Options['detached']>,
  questionTimeoutMs: number,
): DetachedWork {
  return new DetachedWork({ agent, url, completions, intervalMs: poll?.interval, timeoutMs, questionTimeoutMs });
}
