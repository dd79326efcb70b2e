import { isAbsolute, relative, resolve } from 'node:path';
import type {
  AdminConfig,
  ApiKeyConfig,
  CallbackConfig,
  Config,
  ProjectConfig,
  TriggerConfig,
} from '../../config/model.ts';
import { triggerId, triggerName } from '../../config/trigger-key.ts';
import { changedFiles } from '../named-files/named-files.ts';
import { describeValue } from '../words.ts';
import { alertDetails } from './alert-details.ts';
import { compareAuth, compareUse, compareValue, fileDetail, showDuration, showSize } from './compare-uses.ts';
import { describeTarget } from './describe-target.ts';
import { keyDetails } from './key-details.ts';
import { limitDetails } from './limit-details.ts';
import type { StructureChange, StructureDetail } from './plan.ts';
import type { PlanSide, ReviewedPlugin } from './plan-side.ts';
import { priceDetails } from './price-details.ts';
import { triggerDetails } from './trigger-details.ts';
import { trustedEntries } from './widening/networks.ts';

/** What is added, removed and changed between two configs: the gateway first, then projects, keys and triggers. */
export function compareStructure(base: PlanSide | undefined, head: PlanSide): readonly StructureChange[] {
  const before = base?.config;
  const after = head.config;
  return [
    ...gatewayChanges(base, head),
    ...changes(
      'project',
      byId(before?.projects ?? [], ({ id }) => id),
      byId(after.projects, ({ id }) => id),
      {
        details: projectDetails,
      },
    ),
    ...changes(
      'key',
      byId(before?.apiKeys ?? [], ({ id }) => id),
      byId(after.apiKeys, ({ id }) => id),
      {
        details: keyDetails,
      },
    ),
    ...changes('trigger', triggersById(before?.triggers ?? []), triggersById(after.triggers), {
      details: (old, now) => [
        ...triggerDetails(old, now),
        ...(base === undefined ? [] : changedSecretFile('callback', [base, old?.callback], [head, now.callback])),
      ],
    }),
  ];
}

type Declared = ProjectConfig | ApiKeyConfig | TriggerConfig;

/** Declarations by what identifies them, each with its name in the plan. */
function byId<T extends Declared>(
  declared: readonly T[],
  nameOf: (one: T) => string,
  idOf = nameOf,
): ReadonlyMap<string, [string, T]> {
  return new Map(declared.map((one) => [idOf(one), [nameOf(one), one]]));
}

function triggersById(triggers: readonly TriggerConfig[]): ReadonlyMap<string, [string, TriggerConfig]> {
  return byId(triggers, triggerName, ({ project, key }) => triggerId(project.id, key));
}

function changes<T extends Declared>(
  subject: StructureChange['subject'],
  before: ReadonlyMap<string, [string, T]>,
  after: ReadonlyMap<string, [string, T]>,
  { details }: { details: (before: T | undefined, after: T) => readonly StructureDetail[] },
): readonly StructureChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name): StructureChange[] => {
    const [oldId, old] = before.get(name) ?? [];
    const [newId, now] = after.get(name) ?? [];
    if (newId === undefined || now === undefined) {
      return old === undefined || oldId === undefined
        ? []
        : [{ subject, id: oldId, action: 'removed', details: [], place: old.place }];
    }
    const found = details(old, now);
    if (old === undefined) return [{ subject, id: newId, action: 'added', details: found, place: now.place }];
    return found.length === 0 ? [] : [{ subject, id: newId, action: 'changed', details: found, place: now.place }];
  });
}

function projectDetails(before: ProjectConfig | undefined, after: ProjectConfig): readonly StructureDetail[] {
  const { place } = after;
  return [
    ...(after.name === after.id && before === undefined ? [] : compareValue('name', before?.name, after.name, place)),
    ...compareValue('language', before?.language, after.language, place),
    ...limitDetails(before, after),
  ];
}

function gatewayChanges(base: PlanSide | undefined, head: PlanSide): readonly StructureChange[] {
  const { place } = head.config.server;
  const id = head.config.organization;
  if (base === undefined) return [{ subject: 'gateway', id, action: 'added', details: [], place }];
  const details = gatewayDetails(base, head);
  return details.length === 0 ? [] : [{ subject: 'gateway', id, action: 'changed', details, place }];
}

function gatewayDetails(base: PlanSide, head: PlanSide): readonly StructureDetail[] {
  const { server: oldServer, admin: oldAdmin, ...before } = base.config;
  const { server, admin, ...after } = head.config;
  const durations: readonly string[] = ['requestTimeoutMs', 'shutdownDelayMs', 'drainTimeoutMs'];
  const settings = (
    [
      'host',
      'port',
      'basePath',
      'bodyLimitBytes',
      'memoryBytes',
      'trustProxy',
      'requestTimeoutMs',
      'shutdownDelayMs',
      'drainTimeoutMs',
    ] as const
  ).flatMap((name) =>
    compareValue(
      `server ${name.replace(/Ms$|Bytes$/, '')}`,
      meaningOf(name, oldServer[name]),
      meaningOf(name, server[name]),
      server.place,
      durations.includes(name) ? showDuration : name.endsWith('Bytes') ? showSize : undefined,
    ),
  );
  return [
    ...compareValue('organization', before.organization, after.organization, server.place),
    ...settings,
    ...compareValue('admin host', oldAdmin.host, admin.host, admin.place),
    ...compareValue('admin port', oldAdmin.port, admin.port, admin.place),
    ...compareValue('admin token', oldAdmin.token, admin.token, admin.place, (token) =>
      token === undefined ? undefined : describeValue({ ...(token as { readonly env: string }) }),
    ),
    ...changedSecretFile('admin token', [base, oldAdmin], [head, admin]),
    ...compareValue('admin tokens', tokensIn(oldAdmin), tokensIn(admin), admin.place),
    ...compareValue('admin hosts', oldAdmin.hosts, admin.hosts, admin.place),
    ...compareAuth('default auth', before.defaultAuth, after.defaultAuth, server.place),
    ...compareUse('engine', before.engine, after.engine, server.place),
    ...compareValue('outbound allow', targets(base), targets(head), server.place),
    ...limitDetails(base.config, head.config),
    ...alertDetails(base.config.alerts, head.config.alerts),
    ...compareValue('plugins', pluginNames(base), pluginNames(head), server.place),
    ...changedPlugins(base, head),
    ...compareValue('recording keep', before.recordingBounds, after.recordingBounds, server.place, showBounds),
    ...priceDetails(base.config, head.config),
  ];
}

/** Tokens of the admin listener by what they may do; of a digest, enough to see that it has changed. */
function tokensIn({ tokens }: Config['admin']): readonly string[] {
  return tokens
    .map(({ id, role, sha256, expiresAt }) => {
      const expires = expiresAt === undefined ? '' : `, expires ${new Date(expiresAt).toISOString()}`;
      return `${id} (${role}, ${sha256.slice(0, 8)}${expires})`;
    })
    .toSorted();
}

/** One proxy, and a list of it, are the same; and the order of a list has no meaning. */
function meaningOf(name: string, value: unknown): unknown {
  if (name !== 'trustProxy' || typeof value === 'boolean') return value;
  return trustedEntries(value as Config['server']['trustProxy']);
}

function showBounds(bounds: unknown): string {
  const { count, ageMs, sizeBytes } = bounds as Config['recordingBounds'];
  return `${count} requests, ${showDuration(ageMs)}, ${showSize(sizeBytes)}`;
}

function targets({ config }: PlanSide): readonly string[] {
  return config.outboundAllow.map(describeTarget).sort();
}

function pluginNames(side: PlanSide): readonly string[] {
  return side.plugins.map((plugin) => pluginName(side, plugin)).sort();
}

/** A path is relative to the config folder. */
function pluginName({ root }: PlanSide, { reference: { specifier } }: ReviewedPlugin): string {
  return isAbsolute(specifier) ? relative(resolve(root), specifier) : specifier;
}

/** Plugins that are named as before and have other code. */
function changedPlugins(base: PlanSide, head: PlanSide): readonly StructureDetail[] {
  return head.plugins.flatMap((plugin) => {
    const name = pluginName(head, plugin);
    const old = base.plugins.find((one) => pluginName(base, one) === name);
    if (old === undefined || old.digest === plugin.digest) return [];
    return [{ what: 'plugin', before: name, after: `${name} with other code`, place: plugin.reference.place }];
  });
}

function changedSecretFile(what: string, [base, before]: Held, [head, after]: Held): readonly StructureDetail[] {
  const old = before && base.secretFiles.get(before);
  const now = after && head.secretFiles.get(after);
  if (old === undefined || now === undefined || after === undefined) return [];
  return changedFiles([old], [now]).map((file) => fileDetail(what, file, after.place));
}

/** What has a secret, and the side on which it is. */
type Held = readonly [side: PlanSide, holder: AdminConfig | CallbackConfig | undefined];
