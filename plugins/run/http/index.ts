import {
  OptionsError,
  type OptionsProblem,
  type OutboundClient,
  type PluginContext,
  type RunPlugin,
} from '../../../src/contract/index.ts';
import { withinDeadline } from '../deadline.ts';
import { faultsOfHeaders } from '../header-options.ts';
import { createMapping } from '../mapping.ts';
import { targetUrl } from '../target-url.ts';
import { HttpAgent } from './agent.ts';
import { CallbackAddresses } from './callback-address.ts';
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
    const callbacks = callbacksOf(context, client, options.detached);
    const detached = options.detached && detachedWork(agent, url, callbacks, options.detached, timeoutMs);
    return {
      execute(run, signal) {
        return withinDeadline(timeoutMs, signal, async (limit) => {
          const mapped = request && (await request.apply(run.input, run));
          if (mapped?.ok === false) return mapped.failure;
          const body = JSON.stringify(mapped === undefined ? run.input : (mapped.value ?? null));
          const headers = callbacks && { 'pullcord-callback-url': callbacks.of(run) };
          const asked = await agent.ask(run, { method, url, body, ...(headers && { headers }) }, limit);
          if (!asked.ok) return asked.failure;
          if (detached !== undefined && asked.response.status === 202) return detached.begin(asked.response);
          return agent.resultOf(run, asked.response);
        });
      },
      ...(detached && { follow: detached.follow }),
      ...(detached && callbacks && { deliver: (delivery) => detached.deliver(delivery) }),
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
  if (detached !== undefined && detached.callback === undefined && detached.poll === undefined) {
    problems.push({ pointer: '/detached', message: 'names neither `callback` nor `poll`: nobody would tell the end' });
  }
  if (sign !== undefined) problems.push(...faultsOfSecrets(sign.secrets, '/sign/secrets'));
  if (problems.length > 0) throw new OptionsError(problems);
}

function callbacksOf(
  context: PluginContext,
  client: OutboundClient,
  detached: Options['detached'],
): CallbackAddresses | undefined {
  if (detached?.callback === undefined) return undefined;
  const { gateway, secrets } = detached.callback;
  const quiet = { ...context, report() {} };
  const url = targetUrl(quiet, client, '/detached/callback/gateway', gateway);
  if (url.pathname !== '/' || url.search !== '') {
    const message = 'must have no path: the gateway knows its own';
    throw new OptionsError([{ pointer: '/detached/callback/gateway', message }]);
  }
  return new CallbackAddresses(url, secrets);
}

function detachedWork(
  agent: HttpAgent,
  url: URL,
  callbacks: CallbackAddresses | undefined,
  { poll, timeout: timeoutMs }: NonNullable<Options['detached']>,
  questionTimeoutMs: number,
): DetachedWork {
  return new DetachedWork({ agent, url, callbacks, intervalMs: poll?.interval, timeoutMs, questionTimeoutMs });
}
