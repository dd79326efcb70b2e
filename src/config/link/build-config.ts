import { dirname, isAbsolute, resolve } from 'node:path';
import { type JsonObject, type JsonValue, type Stage, stages } from '../../contract/index.ts';
import type { RecordingBounds } from '../../engine/types/index.ts';
import { deepFreeze } from '../../schema/deep-freeze.ts';
import { parseExpiry } from '../../schema/expiry.ts';
import { parseOutboundTarget } from '../../schema/outbound-target.ts';
import { parseDuration } from '../../schema/units.ts';
import type {
  ApiKeyDocument,
  EarlierRequestDocument,
  GatewayDocument,
  ProjectDocument,
  RecordDocument,
  RecordingBoundsDocument,
  RecordingDocument,
  TriggerDocument,
  TriggerTestDocument,
} from '../documents.gen.ts';
import type {
  AdminConfig,
  ApiKeyConfig,
  BodyConfig,
  CallbackConfig,
  Config,
  PluginReference,
  ProjectConfig,
  RecordingPolicy,
  RecordPolicy,
  ServerConfig,
  SessionsConfig,
  StageUses,
  TestBody,
  TestRequest,
  TriggerConfig,
  TriggerTest,
} from '../model.ts';
import { mapInSlices } from '../slices.ts';
import { descriptorOf } from '../stages.ts';
import { alertsConfig } from './alert-config.ts';
import { alertTests } from './alert-tests.ts';
import { debounceConfig } from './debounce.ts';
import type { DocumentSet, InFile } from './document-set.ts';
import { gatewayLimits, keyLimits, limitsOf, projectLimits, triggerLimits } from './limit-config.ts';
import { pricesConfig } from './prices.ts';
import type { ResolvedStages, ResolvedTrigger, WrittenSetting } from './resolve-stages.ts';
import { useAt } from './written-uses.ts';

/** Builds a config from documents that were checked together; undefined without a Gateway. */
export async function buildConfig(
  documents: DocumentSet,
  resolved: ResolvedStages,
  revision: string,
): Promise<Config | undefined> {
  const [gateway] = documents.gateways;
  const [prices] = documents.prices;
  if (gateway === undefined) return undefined;
  const { file, document } = gateway;
  const projects = new Map(documents.projects.map((project) => [project.document.id, projectConfig(project)]));
  const surroundings = {
    projects,
    resolved,
    documents,
    gatewayRecording: document.recording,
    bodyLimitBytes: document.server.bodyLimit,
  };
  // Frozen here, where it is done in slices; freezing the whole config then finds it done.
  const triggers = await mapInSlices(documents.triggers, (trigger) => deepFreeze(triggerConfig(trigger, surroundings)));
  return {
    revision,
    organization: document.organization,
    server: serverConfig(gateway),
    admin: adminConfig(gateway),
    tokens: document.tokens && {
      secrets: document.tokens.secrets,
      folder: resolve(dirname(file)),
      place: { file, pointer: '/tokens' },
    },
    engine: useAt(file, '/engine', document.engine),
    recordingBounds: recordingBounds(document.recording),
    outboundAllow: document.outbound.allow.flatMap((text) => parseOutboundTarget(text) ?? []),
    plugins: pluginReferences(gateway),
    defaultAuth: resolved.defaultAuth,
    limits: limitsOf(gatewayLimits(gateway)),
    alerts: alertsConfig(gateway),
    alertTests: alertTests(documents),
    prices: prices && pricesConfig(prices),
    apiKeys: documents.apiKeys.map(apiKeyConfig),
    projects: [...projects.values()],
    triggers: triggers.filter((trigger) => trigger !== undefined),
  };
}

function serverConfig({ file, document: { server } }: InFile<GatewayDocument>): ServerConfig {
  return {
    host: server.host,
    port: server.port,
    basePath: server.basePath === '/' ? '' : server.basePath,
    bodyLimitBytes: server.bodyLimit,
    memoryBytes: server.memory,
    trustProxy: server.trustProxy,
    requestTimeoutMs: server.requestTimeout,
    shutdownDelayMs: server.shutdownDelay,
    drainTimeoutMs: server.drainTimeout,
    place: { file, pointer: '/server' },
  };
}

function adminConfig({ file, document: { admin } }: InFile<GatewayDocument>): AdminConfig {
  return {
    host: admin.host,
    port: admin.port,
    token: admin.token,
    tokens: admin.tokens.map(({ id, role, hash, expires }, index) => ({
      id,
      role,
      sha256: hash.slice('sha256:'.length),
      expiresAt: expires === undefined ? undefined : parseExpiry(expires),
      place: { file, pointer: `/admin/tokens/${index}` },
    })),
    hosts: admin.hosts.map((name) => name.toLowerCase()),
    folder: resolve(dirname(file)),
    place: { file, pointer: '/admin' },
  };
}

function pluginReferences({ file, document }: InFile<GatewayDocument>): readonly PluginReference[] {
  const folder = resolve(dirname(file));
  return document.plugins.map((written, index) => ({
    specifier: /^\.{1,2}\//.test(written) || isAbsolute(written) ? resolve(folder, written) : written,
    folder,
    place: { file, pointer: `/plugins/${index}` },
  }));
}

export function apiKeyConfig(apiKey: InFile<ApiKeyDocument>): ApiKeyConfig {
  const { file, document } = apiKey;
  return {
    id: document.id,
    secrets: document.secrets.map(({ hash, expires, note }) => ({
      sha256: hash.slice('sha256:'.length),
      expiresAt: expires === undefined ? undefined : parseExpiry(expires),
      ...(note !== undefined && { label: note }),
    })),
    use: document.use,
    permissions: document.permissions,
    projects: document.projects,
    triggers: document.triggers,
    origins: document.origins,
    status: document.status,
    limits: limitsOf(keyLimits(apiKey)),
    place: { file, pointer: '/id' },
  };
}

function projectConfig(project: InFile<ProjectDocument>): ProjectConfig {
  const { file, document } = project;
  const { id, name = id, language } = document;
  return { id, name, language, limits: limitsOf(projectLimits(project)), place: { file, pointer: '/id' } };
}

interface Surroundings {
  readonly projects: ReadonlyMap<string, ProjectConfig>;
  readonly resolved: ResolvedStages;
  readonly documents: DocumentSet;
  readonly gatewayRecording: RecordingDocument | undefined;
  readonly bodyLimitBytes: number;
}

function triggerConfig(
  trigger: InFile<TriggerDocument>,
  { projects, resolved, documents, gatewayRecording, bodyLimitBytes }: Surroundings,
): TriggerConfig | undefined {
  const { file, document } = trigger;
  const project = projects.get(document.project);
  const { uses, settings } = resolved.triggers.get(trigger) ?? { uses: undefined, settings: {} };
  const stageUses = uses && stageUsesOf(uses);
  // A trigger without its project or a required stage has been reported.
  if (!project || !stageUses) return undefined;
  const { key, name = key, status } = document;
  const record = recordPolicy(settings.record?.value);
  return {
    project,
    key,
    name,
    status,
    ...stageUses,
    body: bodyConfig(settings.body, bodyLimitBytes),
    record,
    recording: recordingPolicy(gatewayRecording, document.recording, record),
    sessions: sessionsConfig(settings.sessions),
    cors: settings.cors && corsConfig(settings.cors),
    debounce: settings.debounce && debounceConfig(settings.debounce),
    limits: limitsOf(triggerLimits(trigger)),
    callback: settings.callback && callbackConfig(settings.callback),
    tests: [...ownTests(trigger), ...documents.testsOf(trigger).flatMap(ownTests)],
    place: { file, pointer: '/key' },
  };
}

/** One use for a stage that takes one, a list for a stage that takes many; undefined if a required one is missing. */
function stageUsesOf(uses: ResolvedTrigger['uses']): StageUses | undefined {
  const isComplete = stages.every((stage) => uses[stage].length > 0 || !isRequired(stage));
  if (!isComplete) return undefined;
  const entries = stages.map((stage) => [stage, descriptorOf(stage).many ? uses[stage] : uses[stage][0]]);
  // What the table says of a stage is what its type is made of.
  return Object.fromEntries(entries) as StageUses;
}

function isRequired(stage: Stage): boolean {
  const { missing, default: fallback } = descriptorOf(stage);
  return missing !== undefined || fallback !== undefined;
}

function callbackConfig({ file, pointer, value }: WrittenSetting<'callback'>): CallbackConfig {
  return { ...value, folder: resolve(dirname(file)), place: { file, pointer } };
}

function bodyConfig(written: WrittenSetting<'body'> | undefined, bodyLimitBytes: number): BodyConfig {
  const { fields, accept, limit = bodyLimitBytes, session, form } = written?.value ?? {};
  return {
    fields,
    accept,
    limitBytes: limit,
    session,
    jsonFields: form?.json === undefined ? undefined : [form.json].flat(),
    place: written && { file: written.file, pointer: written.pointer },
  };
}

/** How long a browser remembers a preflight by default: 10 minutes. */
const defaultMaxAgeMs = 600_000;

function corsConfig({ file, pointer, value }: WrittenSetting<'cors'>): TriggerConfig['cors'] {
  return { origins: value.origins, maxAgeMs: value.maxAge ?? defaultMaxAgeMs, place: { file, pointer } };
}

/** How long a conversation is remembered by default: 30 days. */
const sessionTtlMs = 30 * 86_400_000;

function sessionsConfig(written: WrittenSetting<'sessions'> | undefined): SessionsConfig {
  const { scope = 'caller', ttl = sessionTtlMs, onBusy = 'enqueue' } = written?.value ?? {};
  return { scope, ttlMs: ttl, onBusy, place: written && { file: written.file, pointer: written.pointer } };
}

function recordPolicy(written: RecordDocument = 'full'): RecordPolicy {
  return typeof written === 'string'
    ? { keep: written, mask: [] }
    : { keep: written.keep ?? 'full', mask: written.mask ?? [] };
}

/** The bounds of recorded requests by default. */
const defaultBounds: RecordingBounds = { count: 10_000, ageMs: 7 * 86_400_000, sizeBytes: 64 * 1024 ** 2 };

function recordingBounds(recording: RecordingDocument | undefined): RecordingBounds {
  const { count, age: ageMs, size: sizeBytes } = boundsOf(recording);
  return {
    count: count ?? defaultBounds.count,
    ageMs: ageMs ?? defaultBounds.ageMs,
    sizeBytes: sizeBytes ?? defaultBounds.sizeBytes,
  };
}

/**
 * What a trigger sets overrides what the gateway does, its masks add to all others. Without `record: full` there is no sample, and
 * nothing of what callers sent is recorded.
 */
function recordingPolicy(
  ofGateway: RecordingDocument = {},
  ofTrigger: RecordingDocument = {},
  record: RecordPolicy,
): RecordingPolicy | undefined {
  const { rate: declared = ofGateway.rate ?? 0, refused = ofGateway.refused ?? true } = ofTrigger;
  const keepsBodies = record.keep === 'full';
  const rate = keepsBodies ? declared : 0;
  if (rate === 0 && !refused) return undefined;
  const { count, age: ageMs } = boundsOf(ofTrigger);
  const mask = [...new Set([...(ofGateway.mask ?? []), ...(ofTrigger.mask ?? []), ...record.mask])];
  return { rate, refused, keepsBodies, count, ageMs, mask };
}

function boundsOf({ keep = {} }: RecordingDocument = {}): RecordingBoundsDocument {
  if (typeof keep === 'number') return { count: keep };
  if (typeof keep !== 'string') return keep;
  const age = parseDuration(keep);
  return age === undefined ? {} : { age };
}

function ownTests({
  file,
  document: { tests },
}: InFile<{ readonly tests: readonly TriggerTestDocument[] }>): readonly TriggerTest[] {
  return tests.map(({ name, after, expect, ...request }, index) => ({
    name,
    ...testRequest(request),
    after: after?.flatMap(({ times, ...earlier }) => {
      const sent = testRequest({ ...(hasBody(earlier) ? withoutBody(request) : request), ...earlier });
      return Array.from({ length: times }, () => sent);
    }),
    expect: {
      verdict: expect.verdict,
      by: expect.by,
      status: expect.status,
      code: expect.code,
      input: expect.input,
    },
    place: { file, pointer: `/tests/${index}` },
  }));
}

/** A request of a test, whether it is sent once or often. */
type RequestDocument = Omit<EarlierRequestDocument, 'times'>;

function hasBody({ body, form, text }: RequestDocument): boolean {
  return body !== undefined || form !== undefined || text !== undefined;
}

function withoutBody({ body: _body, form: _form, text: _text, ...request }: RequestDocument) {
  return request;
}

function testBody({ body, form, text }: RequestDocument): TestBody | undefined {
  if (body !== undefined) return { kind: 'json', value: body as JsonObject | readonly JsonValue[] };
  if (form !== undefined) return { kind: 'form', value: form };
  return text === undefined ? undefined : { kind: 'text', value: text };
}

function testRequest({ headers = {}, key, clock, ...request }: RequestDocument): TestRequest {
  return { body: testBody(request), headers, apiKey: key, clock: clock === undefined ? undefined : Date.parse(clock) };
}
