import { type Command, Option } from 'commander';
import type { TriggerConfig } from '../config/model.ts';
import { sameKey, sameTrigger, triggerName } from '../config/trigger-key.ts';
import { suggest } from '../diagnostics/closest.ts';
import type { OpenConfig } from '../review/open-config.ts';
import type { RehearsedRequest } from '../review/rehearsal.ts';
import { AccessError } from './access-error.ts';
import { configOption, existingFolder } from './config-option.ts';
import { withGateway } from './gateway-access.ts';
import { adminTokenMeaning, helpText } from './help-text.ts';
import { recordedRequest, recordedRun } from './recorded-input.ts';
import { bodyOf, headersOf } from './request-input.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface ExplainOptions {
  readonly config: string;
  readonly body?: string;
  readonly data?: string;
  readonly run?: string;
  readonly request?: string;
  readonly adminUrl?: string;
  readonly key?: string;
  readonly header: readonly string[];
  readonly clock?: string;
  readonly format: 'text' | 'json';
}

export function registerExplain(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('explain')
    .argument('[trigger]', 'the trigger: project/key, or key; or the id of a recorded run or request')
    .summary('explain why a request is accepted or dropped')
    .description(
      'Traces a request through the stages of a trigger, as the gateway would, and shows what each of them decides, ' +
        'and each condition of the filters with its values. A dry run: no agent is called and nothing is stored.',
    )
    .option('--body <file>', 'the file with the body, - for stdin; by default the request has none')
    .option('-d, --data <json>', 'the body itself, @FILE, or - for stdin')
    .option('--run <id>', 'the input of a recorded run, from the gateway or its journal')
    .option('--request <id>', 'a recorded request, from the gateway or its journal')
    .option('--admin-url <url>', 'URL of the admin listener; by default from the config')
    .option('--key <id>', 'the id of the API key that calls; by default a caller with every permission')
    .addOption(new Option('-H, --header <name:value...>', 'request headers').default([], 'none'))
    .option('--clock <time>', 'when the request arrives: 2027-06-30T12:00:00Z; by default now')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord explain support/refund-request --body request.json',
          `pullcord explain refund-request -d '{"customer": {"plan": "free"}}' --key website`,
          'pullcord explain 0190f3c2-7a1e-7000-8000-1d2c3b4a5f60',
        ],
        environment: { PULLCORD_ADMIN_TOKEN: adminTokenMeaning },
        exitCodes: {
          0: 'success, whether the request is accepted or dropped',
          1: 'the config has problems, or the recording is not available',
        },
      }),
    )
    .action(async (trigger: string | undefined, options: ExplainOptions) => finish(await explain(trigger, options)));
}

async function explain(name: string | undefined, options: ExplainOptions): Promise<ExitCode> {
  const root = existingFolder(options.config);
  checkSources(options);
  const { openConfig } = await import('../review/open-config.ts');
  const opened = await openConfig(root);
  if (!opened.ok) {
    const { formatProblems } = await import('../diagnostics/format.ts');
    terminal.words(formatProblems(opened.problems, opened.sources, { format: 'text' }));
    return exitCodes.problems;
  }
  try {
    const isId = name !== undefined && uuid.test(name);
    const trigger = name === undefined || isId ? undefined : findTrigger(name, opened.config.triggers);
    checkKey(options.key, opened.config.apiKeys);
    const report = async (input: RehearsedRequest): Promise<ExitCode> => {
      const sentTo = `${input.project}/${input.trigger}`;
      if (trigger !== undefined && input.trigger !== '' && !sameTrigger(input, trigger)) {
        terminal.words(`it was sent to ${sentTo}, and is evaluated on ${trigger.project}/${trigger.trigger}`);
      }
      await print(opened, requestOf({ ...input, ...trigger }, options), options);
      return exitCodes.fine;
    };
    const recorded = isId ? name : (options.run ?? options.request);
    if (recorded === undefined) {
      if (name === undefined) throw new UsageError('name the trigger, or a recorded run or request');
      return await report(await givenInput(options));
    }
    return await withGateway(options, async (access) => {
      const request = options.run === undefined ? await recordedRequest(access, recorded) : undefined;
      if (request === undefined && options.request !== undefined) {
        throw new AccessError(`recorded request ${recorded} not found; it may be past its retention`);
      }
      return report(request ?? (await recordedRun(access, recorded)));
    });
  } finally {
    await opened.close();
  }
}

function checkSources({ body, data, run, request }: ExplainOptions): void {
  const given = [body, data, run, request].filter((one) => one !== undefined);
  if (given.length > 1) throw new UsageError('give one of --body, --data, --run and --request');
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A body of the command line as a request that arrives now. */
async function givenInput({ body, data, header }: ExplainOptions): Promise<RehearsedRequest> {
  const bodyText = await bodyOf(body === undefined || body === '-' ? (body ?? data) : `@${body}`);
  const headers = headersOf(header);
  return { project: '', trigger: '', caller: undefined, receivedAt: Date.now(), headers, ip: '127.0.0.1', bodyText };
}

/** The options that override the recorded request. */
function requestOf(input: RehearsedRequest, { key, clock }: ExplainOptions): RehearsedRequest {
  return {
    ...input,
    caller: key ?? input.caller,
    receivedAt: clock === undefined ? input.receivedAt : timeOf(clock),
  };
}

function checkKey(key: string | undefined, apiKeys: readonly { readonly id: string }[]): void {
  const ids = apiKeys.map(({ id }) => id);
  if (key === undefined || ids.includes(key)) return;
  throw new UsageError(`unknown API key ${key}. ${suggest(key, ids, 'API keys')}`);
}

function timeOf(clock: string): number {
  const time = Date.parse(clock);
  if (Number.isNaN(time)) throw new UsageError(`the clock ${clock} is not a time like 2027-06-30T12:00:00Z`);
  return time;
}

/** A trigger by key or project/key, in any case. */
function findTrigger(name: string, triggers: readonly TriggerConfig[]): { project: string; trigger: string } {
  const found = triggers.filter((trigger) => sameKey(trigger.key, name) || sameKey(triggerName(trigger), name));
  const [first, second] = found;
  const ids = triggers.map(triggerName);
  if (first === undefined) throw new UsageError(`unknown trigger ${name}. ${suggest(name, ids, 'triggers')}`);
  if (second !== undefined)
    throw new UsageError(`${name} is ambiguous: more than one project has it; write project/key`);
  return { project: first.project.id, trigger: first.key };
}

async function print(
  { snapshot, sources }: OpenConfig,
  request: RehearsedRequest,
  { format }: ExplainOptions,
): Promise<void> {
  const [{ explainRequest, recordedNotes }, { Rehearsal }] = await Promise.all([
    import('../review/explain.ts'),
    import('../review/rehearsal.ts'),
  ]);
  const explanation = await explainRequest(new Rehearsal(snapshot), request);
  if (format === 'json') {
    const { formatExplanationJson } = await import('../review/explanation-json.ts');
    terminal.data(formatExplanationJson(explanation, sources));
    return;
  }
  const { describePlace } = await import('../diagnostics/describe-place.ts');
  const { formatStages } = await import('../review/explanation-text.ts');
  const { outcome, stages } = explanation;
  const tree = formatStages(stages, outcome, (place) => describePlace(place, sources));
  const [head = '', ...lines] = tree.split('\n');
  const name = terminal.bold(`${request.project}/${request.trigger}`);
  terminal.data([`${name}: ${head}`, ...recordedNotes(explanation), ...lines].join('\n'));
}
