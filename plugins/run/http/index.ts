import { errors, Pool } from 'undici';
import { OptionsError, type OptionsProblem, type RunPlugin, type RunResult } from '../../../src/contract/index.ts';
import { readAnswer } from './answer.ts';
import { withinDeadline } from './deadline.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { configuredHeaders, faultsOfHeaders, requestHeaders } from './request-headers.ts';

export default {
  contract: 'v1',
  stage: 'run',
  name: 'http',
  summary: 'Sends the input to an agent that listens on HTTP, as JSON, and takes its answer as the output.',
  optionsSchema: schema,
  create(context, options) {
    const url = checkOptions(options);
    const { method, timeout: timeoutMs, maxResponse: maxBytes, connections } = options;
    const pool = new Pool(url.origin, {
      connections,
      pipelining: 1,
      // One run, one connection: with HTTP/2 `connections` would limit nothing.
      allowH2: false,
      // An agent may think in silence for longer than undici's 300 s. The deadline below is the only one.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    context.onClose(() => pool.destroy());
    const path = url.pathname + url.search;
    const configured = configuredHeaders(options.headers);
    return {
      execute(run, signal) {
        const headers = requestHeaders(run, configured);
        const body = JSON.stringify(run.input);
        return withinDeadline(timeoutMs, signal, async (exchangeSignal) => {
          try {
            const response = await pool.request({ method, path, headers, body, signal: exchangeSignal });
            return await readAnswer(response, maxBytes);
          } catch (error) {
            return connectionFailure(error);
          }
        });
      },
    };
  },
} satisfies RunPlugin<Options>;

function checkOptions(options: Options): URL {
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  const problems: OptionsProblem[] = faultsOfHeaders(options.headers);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    const hint = 'Write it in full, e.g. http://127.0.0.1:3001/agent.';
    problems.push({ pointer: '/url', message: 'is not an http or https URL', hint });
  }
  if (url?.username || url?.password) {
    const hint = 'Send them as a header: headers: { authorization: { env: NAME } }.';
    problems.push({ pointer: '/url', message: 'must not hold credentials', hint });
  }
  if (options.timeout === 0) problems.push({ pointer: '/timeout', message: 'must be longer than nothing' });
  if (url === undefined || problems.length > 0) throw new OptionsError(problems);
  return url;
}

/** Names the error by its code alone: messages hold addresses, which are not for a caller's eyes. */
function connectionFailure(error: unknown): RunResult {
  if (error instanceof errors.HTTPParserError) {
    return { kind: 'failed', message: 'agent answered with invalid HTTP', retryable: false };
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Without a code it is not the network's doing but a bug, here or in the client.
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') throw error;
  return { kind: 'failed', message: `the connection to the agent failed (${code})`, retryable: true };
}
