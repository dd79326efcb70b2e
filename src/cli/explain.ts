import { type Command, Option } from 'commander';
import type { TriggerConfig } from '../config/model.ts';
import { sameKey, sameTrigger, triggerName } from '../config/trigger-key.ts';
import { suggest } from '../diagnostics/closest.ts';
import { makePrintable } from '../diagnostics/printable.ts';
import type { OpenConfig } from '../review/open-config.ts';
import type { RehearsedRequest } from '../review/rehearsal.ts';
import { AccessError } from './access-error.ts';
import { configOption, existingFolder } from './config-option.ts';
import { withGateway } from './gateway-access.ts';
import { tokenMeaning } from './gateway-command.ts';
import { helpText } from './help-text.ts';
import { type FoundRecording, findRecorded } from './recorded-input.ts';
import { bodyOf, headersOf } from './request-input.ts';
import { type ExitCode, exitCodes, terminal, UsageError } from './terminal.ts';

interface ExplainOptions {
  readonly config: string;
  readonly body?: string;
  readonly data?: string;
  readonly run?: string;
  readonly request?: string;
  readonly at?: string;
  readonly adminUrl?: string;
  readonly key?: string;
  readonly header: readonly string[];
  readonly clock?: string;
  readonly format: 'text' | 'json';
}

export function registerExplain(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('explain')
    .argument(
      '[trigger]',
      'the trigger: project/key, or key; or the id of a run, of a recorded request, or its X-Request-Id',
    )
    .summary('explain why a request is accepted or dropped')
    .description(
      'Traces a request through the stages of a trigger, as the gateway would, and shows what each of them decides, ' +
        'and each condition of the filters with its values. A dry run: no agent is called and nothing is stored.',
    )
    .option('--body <file>', 'the file with the body, - for stdin; by default the request has none')
    .option('-d, --data <json>', 'the body itself, @FILE, or - for stdin')
    .option('--run <id>', 'the input of a recorded run, from the gateway or its journal')
    .option('--request <id>', 'a recorded request, by its id or its X-Request-Id, from the gateway or its journal')
    .option('--at <revision>', 'explain with the config of this git revision; recorded: of the commit that decided')
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
          'pullcord explain q9Zr3kVt-2s --at recorded',
        ],
        environment: { PULLCORD_ADMIN_TOKEN: tokenMeaning },
        exitCodes: {
          0: 'success, whether the request is accepted or dropped',
          1: 'the config has problems, or the recording or its commit is not available',
        },
      }),
    )
    .action(async (trigger: string | undefined, options: ExplainOptions) => finish(await explain(trigger, options)));
}

async function explain(name: string | undefined, options: ExplainOptions): Promise<ExitCode> {
  const root = existingFolder(options.config);
  checkSources(options);
  const { at, run, request } = options;
  const id = run ?? request ?? (name !== undefined && uuid.test(name) ? name : undefined);
  if (at === recordedRevision) {
    const recorded = id ?? (hasBody(options) ? undefined : name);
    if (recorded === undefined) throw new UsageError('--at recorded needs a recorded request: name it by its id');
    return withGateway(options, async (access) => {
      const found = await findRecorded(access, recorded, options);
      return atRevision(root, revisionOf(found, recorded), (folder) => explainIn(folder, name, options, found));
    });
  }
  if (at !== undefined) return atRevision(root, at, (folder) => explainIn(folder, name, options));
  return explainIn({ root, shownAs: root }, name, options);
}

/** The revision of the commit that a recorded request names. */
const recordedRevision = 'recorded';

/** A config folder, and how places in it are shown: a checkout of a commit is gone when they are read. */
interface ShownFolder {
  readonly root: string;
  readonly shownAs: string;
}

/**
 * Explains on the config of a folder.
 * @param found what the id names, if that is known already
 */
async function explainIn(
  { root, shownAs }: ShownFolder,
  name: string | undefined,
  options: ExplainOptions,
  found?: FoundRecording,
): Promise<ExitCode> {
  const { openConfig } = await import('../review/open-config.ts');
  const opened = await openConfig(root);
  if (!opened.ok) {
    const { formatProblems } = await import('../diagnostics/format.ts');
    terminal.words(formatProblems(opened.problems, opened.sources, { format: 'text' }).replaceAll(root, shownAs));
    return exitCodes.problems;
  }
  try {
    const { triggers, apiKeys } = opened.config;
    checkKey(options.key, apiKeys);
    const report = async (
      input: RehearsedRequest,
      trigger?: ReturnType<typeof knownTrigger>,
      { revision, gitCommit, ending }: Partial<Pick<FoundRecording, 'revision' | 'gitCommit' | 'ending'>> = {},
    ): Promise<ExitCode> => {
      const sentTo = `${input.project}/${input.trigger}`;
      if (trigger !== undefined && input.trigger !== '' && !sameTrigger(input, trigger)) {
        terminal.words(`it was sent to ${sentTo}, and is evaluated on ${trigger.project}/${trigger.trigger}`);
      }
      const isOther = options.at === undefined && revision !== undefined && revision !== opened.config.revision;
      const notes = [...(ending === undefined ? [] : [ending]), ...(isOther ? [otherRevision(gitCommit)] : [])];
      const text = await explanationOf(opened, requestOf({ ...input, ...trigger }, options), options, notes);
      terminal.data(text.replaceAll(root, shownAs));
      return exitCodes.fine;
    };
    const named = name === undefined || uuid.test(name) ? undefined : knownTrigger(name, triggers);
    const asked = options.run ?? options.request ?? (named === undefined ? name : undefined);
    if (found !== undefined) return await report(found.request, named, found);
    if (asked === undefined) {
      if (named === undefined) throw new UsageError('name the trigger, or a recorded run or request');
      return await report(await givenInput(options), named);
    }
    const isId = asked !== name || uuid.test(asked);
    // A misspelled trigger, with a body: no id is meant.
    if (!isId && (hasBody(options) || !requestId.test(asked))) throw unknownTrigger(asked, triggers);
    if (name !== undefined && asked !== name && named === undefined && !uuid.test(name))
      throw unknownTrigger(name, triggers);
    return await withGateway(
      options,
      async (access) => {
        const recorded = await findRecorded(access, asked, options);
        return report(recorded.request, named, recorded);
      },
      isId ? undefined : (error) => unknownTriggerOrId(asked, triggers, error),
    );
  } finally {
    await opened.close();
  }
}

function otherRevision(gitCommit: string | undefined): string {
  const other = 'the config is another one than decided then';
  return gitCommit === undefined
    ? `${other}, which no commit is known to have: --at REV explains it with another`
    : `${other}; --at recorded explains it with the config of the recorded commit`;
}

function hasBody({ body, data }: ExplainOptions): boolean {
  return body !== undefined || data !== undefined;
}

async function atRevision(
  root: string,
  revision: string,
  work: (folder: ShownFolder) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { checkOutConfig, GitBaseError } = await import('../review/git/git-base.ts');
  let base: Awaited<ReturnType<typeof checkOutConfig>>;
  try {
    base = await checkOutConfig(root, revision);
  } catch (error) {
    if (!(error instanceof GitBaseError)) throw error;
    throw new UsageError(error.message.replace('is neither a folder nor a revision', 'is no revision'));
  }
  try {
    if (base.root === undefined) throw new UsageError(`${revision} has no config at ${base.shownAs}`);
    return await work({ root: base.root, shownAs: base.shownAs });
  } finally {
    await base.close();
  }
}

/** The commit of the config that decided about a request. */
function revisionOf({ gitCommit, isDirty, isRecorded }: FoundRecording, id: string): string {
  if (gitCommit !== undefined) return gitCommit;
  if (!isRecorded) {
    throw new AccessError(
      `${id} is a run without a recorded request, which names no commit: name a revision with --at REV`,
    );
  }
  if (isDirty === true) {
    throw new AccessError(
      `the config that decided about ${id} was not what was committed (dirty), and no commit has it: name another revision with --at REV`,
    );
  }
  throw new AccessError(
    `no commit was recorded with ${id}: its config was in no git repository, or an earlier version recorded it; name a revision with --at REV`,
  );
}

function checkSources({ body, data, run, request }: ExplainOptions): void {
  const given = [body, data, run, request].filter((one) => one !== undefined);
  if (given.length > 1) throw new UsageError('give one of --body, --data, --run and --request');
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What an `X-Request-Id` may be. */
const requestId = /^[A-Za-z0-9._~+/=:-]{1,128}$/;

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

/** A trigger by key or project/key, in any case; undefined if there is none. */
function knownTrigger(
  name: string,
  triggers: readonly TriggerConfig[],
): { readonly project: string; readonly trigger: string } | undefined {
  const found = triggers.filter((trigger) => sameKey(trigger.key, name) || sameKey(triggerName(trigger), name));
  const [first, second] = found;
  if (second !== undefined)
    throw new UsageError(`${name} is ambiguous: more than one project has it; write project/key`);
  return first && { project: first.project.id, trigger: first.key };
}

function unknownTrigger(name: string, triggers: readonly TriggerConfig[]): UsageError {
  return new UsageError(`unknown trigger ${name}. ${suggest(name, triggers.map(triggerName), 'triggers')}`);
}

/** A name that may be meant as either: it says why nothing was found by it as an id. */
function unknownTriggerOrId(name: string, triggers: readonly TriggerConfig[], { message }: AccessError): UsageError {
  const known = suggest(name, triggers.map(triggerName), 'triggers');
  return new UsageError(`unknown trigger or id ${name}: ${message}. ${known}`);
}

async function explanationOf(
  { snapshot, sources }: OpenConfig,
  request: RehearsedRequest,
  { format }: ExplainOptions,
  notes: readonly string[],
): Promise<string> {
  const [{ explainRequest, recordedNotes }, { Rehearsal }] = await Promise.all([
    import('../review/explain.ts'),
    import('../review/rehearsal.ts'),
  ]);
  const explanation = await explainRequest(new Rehearsal(snapshot), request);
  if (format === 'json') {
    const { formatExplanationJson } = await import('../review/explanation-json.ts');
    return formatExplanationJson(explanation, sources);
  }
  const { describePlace } = await import('../diagnostics/describe-place.ts');
  const { formatStages } = await import('../review/explanation-text.ts');
  const { outcome, stages } = explanation;
  const tree = formatStages(stages, outcome, (place) => describePlace(place, sources));
  const [head = '', ...lines] = tree.split('\n');
  const name = terminal.bold(`${request.project}/${request.trigger}`);
  return [`${name}: ${head}`, ...recordedNotes(explanation).map(makePrintable), ...notes, ...lines].join('\n');
}
