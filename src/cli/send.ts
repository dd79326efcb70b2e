import { type Command, Option } from 'commander';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import { loadForCommand } from './load-for-command.ts';
import { bodyOf, checkHeaders, headersOf } from './request-input.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface SendOptions {
  readonly config: string;
  readonly url?: string;
  readonly apiKey?: string;
  readonly data?: string;
  readonly header: readonly string[];
  readonly timeout: string;
}

export function registerSend(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('send')
    .argument('<trigger>', 'the trigger: project/key, e.g. support/refund-request')
    .summary('fire a trigger of a running gateway')
    .description(
      'Fires a trigger and prints the answer: the body on stdout, events as they arrive, the status on stderr. ' +
        'The API key comes from PULLCORD_API_KEY, to keep it out of the shell history.',
    )
    .option('-d, --data <json>', 'the body: JSON, @FILE, or - for stdin; by default the request has none')
    .option('--url <url>', 'URL of the public listener, base path included; by default from the config')
    .option('--api-key <secret>', 'the API key; by default from PULLCORD_API_KEY')
    .addOption(new Option('-H, --header <name:value...>', 'more request headers').default([], 'none'))
    .option('--timeout <seconds>', 'how long to wait for the answer', '300')
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: [`pullcord send support/refund-request -d '{"instruction": "refund order 7"}'`],
        environment: { PULLCORD_API_KEY: 'the API key, where --api-key is not given' },
        exitCodes: {
          0: 'the answer is a 2xx, or a stream whose run succeeded',
          1: 'another answer, or none; the config has problems',
        },
      }),
    )
    .action(async (trigger: string, options: SendOptions) => finish(await send(trigger, options)));
}

async function send(trigger: string, options: SendOptions): Promise<ExitCode> {
  const base = options.url ?? (await configuredUrl(options.config));
  if (base === undefined) return exitCodes.problems;
  const address = `${base.replace(/\/$/, '')}${pathOf(trigger)}`;
  const body = await bodyOf(options.data);
  const [{ request }, { STATUS_CODES }] = await Promise.all([import('undici'), import('node:http')]);
  try {
    const {
      statusCode,
      headers: answerHeaders,
      body: answer,
    } = await request(address, {
      method: 'POST',
      headers: await sendHeaders(options, body !== undefined),
      // The user's timeout is the only deadline: agents may be silent for longer than a client's defaults.
      headersTimeout: 0,
      bodyTimeout: 0,
      signal: AbortSignal.timeout(secondsOf(options.timeout) * 1000),
      ...(body !== undefined && { body }),
    });
    terminal.words(`${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim());
    if (/^text\/event-stream/i.test(String(answerHeaders['content-type']))) {
      return await printEvents(answer.setEncoding('utf8'));
    }
    const content = await answer.text();
    if (content !== '') terminal.data(content);
    return statusCode >= 200 && statusCode < 300 ? exitCodes.fine : exitCodes.problems;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = reasonOf(error);
    const hint = reason === 'ECONNREFUSED' ? '; is the gateway running?' : '';
    terminal.words(`error: no answer from ${address}: ${reason}${hint}`);
    return exitCodes.problems;
  }
}

/** Prints server-sent events as they arrive. */
async function printEvents(answer: AsyncIterable<string>): Promise<ExitCode> {
  const { createParser } = await import('eventsource-parser');
  let last: string | undefined;
  const parser = createParser({
    onEvent({ event }) {
      last = event;
    },
  });
  for await (const text of answer) {
    terminal.piece(text);
    parser.feed(text);
  }
  return last === 'done' ? exitCodes.fine : exitCodes.problems;
}

async function configuredUrl(root: string): Promise<string | undefined> {
  const config = await loadForCommand(root);
  if (config === undefined) return undefined;
  const { host, port, basePath } = config.server;
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}${basePath}`;
}

function pathOf(trigger: string): string {
  const [project, key, ...more] = trigger.split('/');
  if (!project || !key || more.length > 0) throw new UsageError(`${trigger} does not have the form project/key`);
  return `/project/${encodeURIComponent(project)}/trigger/${encodeURIComponent(key)}`;
}

async function sendHeaders(options: SendOptions, hasBody: boolean): Promise<Record<string, string>> {
  const headers = { ...(hasBody && { 'content-type': 'application/json' }), ...headersOf(options.header) };
  const key = options.apiKey ?? process.env.PULLCORD_API_KEY;
  const sent = key === undefined ? headers : { ...headers, 'x-api-key': key };
  await checkHeaders(sent);
  return sent;
}

function secondsOf(timeout: string): number {
  const seconds = Number(timeout);
  if (!(seconds > 0 && seconds <= 86_400)) throw new UsageError(`the timeout ${timeout} is not a number of seconds`);
  return seconds;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
