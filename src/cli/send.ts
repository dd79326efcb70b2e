import { type Command, Option } from 'commander';
import type { Config } from '../config/model.ts';
import { sameTrigger } from '../config/trigger-key.ts';
import { namesCredential } from '../contract/credential-names.ts';
import type { SentRequest } from '../contract/index.ts';
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
  /** True: as the trigger's config says. */
  readonly sign?: string | true;
  readonly event?: string;
}

export function registerSend(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('send')
    .argument('<trigger>', 'the trigger: project/key, e.g. support/refund-request')
    .summary('fire a trigger of a running gateway')
    .description(
      'Fires a trigger and prints the answer: the body on stdout, events as they arrive, the status on stderr. ' +
        'The API key comes from PULLCORD_API_KEY, to keep it out of the shell history. With --sign the request is signed ' +
        'as the sender of a webhook signs it, with the first secret of the trigger or that of PULLCORD_SIGNING_SECRET, and ' +
        'carries no API key unless --api-key is given.',
    )
    .option('-d, --data <json>', 'the body: JSON, @FILE, or - for stdin; by default the request has none')
    .option('--url <url>', 'URL of the public listener, base path included; by default from the config')
    .option('--api-key <secret>', 'the API key; by default from PULLCORD_API_KEY')
    .addOption(new Option('-H, --header <name:value...>', 'more request headers').default([], 'none'))
    .option(
      '--sign [scheme]',
      'sign the request as this sender: github, slack, … as the signature plugin names them; by default that of the trigger',
    )
    .option('--event <type>', 'the type of the event, for senders that name it in a header: push for github')
    .option('--timeout <seconds>', 'how long to wait for the answer', '300')
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          `pullcord send support/refund-request -d '{"instruction": "refund order 7"}'`,
          'pullcord send engineering/github --sign github --event push -d @push.json',
        ],
        environment: {
          PULLCORD_API_KEY: 'the API key, where --api-key is not given',
          PULLCORD_SIGNING_SECRET:
            "what --sign signs with: the sender's secret, or its private key in PEM; by default the trigger's first secret",
        },
        exitCodes: {
          0: 'the answer is a 2xx, or a stream whose run succeeded',
          1: 'another answer, or none; the config has problems',
        },
      }),
    )
    .action(async (trigger: string, options: SendOptions) => finish(await send(trigger, options)));
}

async function send(trigger: string, options: SendOptions): Promise<ExitCode> {
  const config = await configOf(options);
  const base = options.url ?? (config && urlOf(config));
  if (base === undefined) return exitCodes.problems;
  const unsigned = {
    url: `${base.replace(/\/$/, '')}${pathOf(trigger)}`,
    headers: await sendHeaders(options),
    body: await bodyOf(options.data),
  };
  const sent = options.sign === undefined ? unsigned : await signed(unsigned, trigger, options, config);
  if (sent === undefined) return exitCodes.problems;
  const { url: address, headers, body } = sent;
  const [{ request }, { STATUS_CODES }] = await Promise.all([import('undici'), import('node:http')]);
  try {
    const {
      statusCode,
      headers: answerHeaders,
      body: answer,
    } = await request(address, {
      method: 'POST',
      headers,
      // The user's timeout is the only deadline: agents may be silent for longer than a client's defaults.
      headersTimeout: 0,
      bodyTimeout: 0,
      signal: AbortSignal.timeout(secondsOf(options.timeout) * 1000),
      ...(body !== undefined && body !== '' && { body }),
    });
    terminal.words(`${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim());
    if (/^text\/event-stream/i.test(String(answerHeaders['content-type']))) {
      return await printEvents(answer.setEncoding('utf8'));
    }
    const content = await answer.text();
    if (content !== '') terminal.data(content);
    if (statusCode === 401 && options.sign === undefined && !hasCredential(headers)) terminal.words(noCredential);
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

/** The config, where something of it is needed: a URL and a secret suffice without any. */
async function configOf({ url, sign, config }: SendOptions): Promise<Config | undefined> {
  const isSelfContained = sign === undefined || (sign !== true && process.env.PULLCORD_SIGNING_SECRET !== undefined);
  return url !== undefined && isSelfContained ? undefined : loadForCommand(config);
}

function urlOf({ server: { host, port, basePath } }: Config): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}${basePath}`;
}

/** Signs a request; reports why it cannot be signed. */
async function signed(
  { url, headers, body = '' }: { url: string; headers: Record<string, string>; body: string | undefined },
  name: string,
  { sign, event }: SendOptions,
  config: Config | undefined,
): Promise<SentRequest | undefined> {
  const [project = '', key = ''] = name.split('/');
  const trigger = config?.triggers.find((one) =>
    sameTrigger({ project: one.project.id, trigger: one.key }, { project, trigger: key }),
  );
  if (config !== undefined && trigger === undefined) throw new UsageError(`the config has no trigger ${name}`);
  const { signRequest } = await import('../host/sign-request.ts');
  const result = await signRequest(
    { scheme: sign === true ? undefined : sign, secret: process.env.PULLCORD_SIGNING_SECRET },
    { url, headers, body },
    { at: Date.now(), event },
    config && trigger && { config, trigger },
  );
  if (result.ok) return result.request;
  terminal.words(`error: the request cannot be signed: ${result.reason}`);
  return undefined;
}

function pathOf(trigger: string): string {
  const [project, key, ...more] = trigger.split('/');
  if (!project || !key || more.length > 0) throw new UsageError(`${trigger} does not have the form project/key`);
  return `/project/${encodeURIComponent(project)}/trigger/${encodeURIComponent(key)}`;
}

async function sendHeaders(options: SendOptions): Promise<Record<string, string>> {
  const headers = {
    ...(options.data !== undefined && { 'content-type': 'application/json' }),
    ...headersOf(options.header),
  };
  // What is signed is to be known by its signature.
  const key = options.apiKey ?? (options.sign === undefined ? process.env.PULLCORD_API_KEY : undefined);
  const sent = key === undefined ? headers : { ...headers, 'x-api-key': key };
  await checkHeaders(sent);
  return sent;
}

const noCredential =
  'no credential was sent: set PULLCORD_API_KEY, or add --sign if the trigger verifies the signature of a sender';

function hasCredential(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some(namesCredential);
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
