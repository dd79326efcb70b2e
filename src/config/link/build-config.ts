import { dirname, isAbsolute, resolve } from 'node:path';
import type { RecordingBounds } from '../../engine/types/index.ts';
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
  ApiKeyConfig,
  Config,
  PluginReference,
  ProjectConfig,
  RecordingPolicy,
  RecordPolicy,
  ServerConfig,
  TestRequest,
  TriggerConfig,
  TriggerTest,
} from '../model.ts';
import type { DocumentSet, InFile } from './document-set.ts';
import type { StageResolver } from './stage-resolver.ts';

/** Puts documents that were checked together into a config; undefined if there is no gateway. */
export function buildConfig(documents: DocumentSet, stages: StageResolver, revision: string): Config | undefined {
  const [gateway] = documents.gateways;
  if (gateway === undefined) return undefined;
  const { file, document } = gateway;
  const projects = new Map(documents.projects.map((project) => [project.document.id, projectConfig(project)]));
  return {
    revision,
    organization: document.organization,
    server: serverConfig(gateway),
    admin: {
      host: document.admin.host,
      port: document.admin.port,
      token: document.admin.token,
      folder: resolve(dirname(file)),
      place: { file, pointer: '/admin' },
    },
    engine: stages.use(file, '/engine', document.engine),
    recordingBounds: recordingBounds(document.recording),
    outboundAllow: document.outbound.allow.flatMap((text) => parseOutboundTarget(text) ?? []),
    plugins: pluginReferences(gateway),
    defaultAuth: stages.authUses(file, '/defaults/auth', document.defaults.auth),
    apiKeys: documents.apiKeys.map(apiKeyConfig),
    projects: [...projects.values()],
    triggers: documents.triggers.flatMap(
      (trigger) => triggerConfig(trigger, { projects, stages, documents, gatewayRecording: document.recording }) ?? [],
    ),
  };
}

function serverConfig({ file, document: { server } }: InFile<GatewayDocument>): ServerConfig {
  return {
    host: server.host,
    port: server.port,
    basePath: server.basePath === '/' ? '' : server.basePath,
    bodyLimitBytes: server.bodyLimit,
    trustProxy: server.trustProxy,
    requestTimeoutMs: server.requestTimeout,
    drainTimeoutMs: server.drainTimeout,
    place: { file, pointer: '/server' },
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

function apiKeyConfig({ file, document }: InFile<ApiKeyDocument>): ApiKeyConfig {
  return {
    id: document.id,
    secrets: document.secrets.map(({ hash, expires }) => ({
      sha256: hash.slice('sha256:'.length),
      expiresAt: expires === undefined ? undefined : parseExpiry(expires),
    })),
    permissions: document.permissions,
    projects: document.projects,
    status: document.status,
    place: { file, pointer: '/id' },
  };
}

function projectConfig({ file, document: { id, name = id, language } }: InFile<ProjectDocument>): ProjectConfig {
  return { id, name, language, place: { file, pointer: '/id' } };
}

interface Surroundings {
  readonly projects: ReadonlyMap<string, ProjectConfig>;
  readonly stages: StageResolver;
  readonly documents: DocumentSet;
  readonly gatewayRecording: RecordingDocument | undefined;
}

function triggerConfig(
  trigger: InFile<TriggerDocument>,
  { projects, stages, documents, gatewayRecording }: Surroundings,
): TriggerConfig | undefined {
  const { file, document } = trigger;
  const project = projects.get(document.project);
  const auth = stages.auth(trigger);
  const run = stages.run(trigger);
  const respond = stages.stage(trigger, 'respond');
  // Linking has found all of them; a trigger without would have been a problem.
  if (!project || !auth || !run || !respond) return undefined;
  const { key, name = key, status } = document;
  const record = recordPolicy(stages.setting(trigger, 'record'));
  return {
    ...{ project, key, name, status, auth, run, respond },
    filters: stages.filters(trigger),
    dedup: stages.stage(trigger, 'dedup'),
    record,
    recording: recordingPolicy(gatewayRecording, document.recording, record),
    sessionTtlMs: stages.setting(trigger, 'sessions')?.ttl ?? sessionTtlMs,
    callback: stages.callback(trigger),
    tests: [...ownTests(trigger), ...documents.testsOf(trigger).flatMap(ownTests)],
    place: { file, pointer: '/key' },
  };
}

/** How long a conversation is remembered where nothing is said of it: 30 days. */
const sessionTtlMs = 30 * 86_400_000;

function recordPolicy(written: RecordDocument = 'full'): RecordPolicy {
  return typeof written === 'string'
    ? { keep: written, mask: [] }
    : { keep: written.keep ?? 'full', mask: written.mask ?? [] };
}

/** What is kept where the gateway says nothing. */
const defaultBounds: RecordingBounds = { count: 10_000, ageMs: 7 * 86_400_000, sizeBytes: 64 * 1024 ** 2 };

function recordingBounds(recording: RecordingDocument | undefined): RecordingBounds {
  const { count, age: ageMs, size: sizeBytes } = boundsOf(recording);
  return {
    count: count ?? defaultBounds.count,
    ageMs: ageMs ?? defaultBounds.ageMs,
    sizeBytes: sizeBytes ?? defaultBounds.sizeBytes,
  };
}

/** A trigger's rate counts for it, its masks come besides all others, and what `record` does not keep is not recorded. */
function recordingPolicy(
  ofGateway: RecordingDocument = {},
  ofTrigger: RecordingDocument = {},
  record: RecordPolicy,
): RecordingPolicy | undefined {
  const { rate = ofGateway.rate ?? 0 } = ofTrigger;
  if (rate === 0 || record.keep !== 'full') return undefined;
  const { count, age: ageMs } = boundsOf(ofTrigger);
  const mask = [...new Set([...(ofGateway.mask ?? []), ...(ofTrigger.mask ?? []), ...record.mask])];
  return { rate, count, ageMs, mask };
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
    after: after?.map((earlier) => testRequest({ ...request, ...earlier })),
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

function testRequest({ body, headers = {}, key, clock }: EarlierRequestDocument): TestRequest {
  return { body, headers, apiKey: key, clock: clock === undefined ? undefined : Date.parse(clock) };
}
