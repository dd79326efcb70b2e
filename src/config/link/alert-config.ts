import { dirname, resolve } from 'node:path';
import { parseDuration } from '../../schema/units.ts';
import type {
  AlertCondition,
  AlertHours,
  AlertPer,
  AlertReceiverConfig,
  AlertRuleConfig,
  AlertScope,
  AlertsConfig,
} from '../alert-model.ts';
import type { AlertRuleDocument, GatewayDocument } from '../documents.gen.ts';
import type { InFile } from './document-set.ts';

/** What is wrong with a rule, and at which of its fields; the whole rule if the field is empty. */
export interface AlertFault {
  readonly field: string;
  readonly message: string;
  readonly hint?: string;
}

type Kind = AlertRuleDocument['when'];
type Field = Exclude<keyof AlertRuleDocument, 'name' | 'when' | 'to' | 'for' | 'keepFiringFor'>;

const counted: readonly Field[] = ['threshold', 'within', 'minCount', 'project', 'trigger', 'per'];

/** The fields that say something to a kind. Any other one would be ignored, and is an error. */
const fieldsOf: Readonly<Record<Kind, readonly Field[]>> = {
  failures: counted,
  drops: counted,
  latency: [...counted, 'percentile', 'measure'],
  silence: ['project', 'trigger', 'per', 'between', 'days', 'zone'],
  budget: ['threshold', 'limit', 'project', 'trigger'],
  expiry: ['within', 'project'],
  reload: [],
  queue: ['threshold'],
  circuit: ['project', 'trigger'],
};

const allFields = [...new Set(Object.values(fieldsOf).flat())];

const minuteMs = 60_000;
const dayMs = 86_400_000;

const defaultForMs: Partial<Record<Kind, number>> = { silence: 60 * minuteMs, reload: 5 * minuteMs, circuit: minuteMs };
const defaultThresholds: Partial<Record<Kind, string>> = {
  failures: '20%',
  drops: '20pp',
  latency: '30s',
  budget: '80%',
  queue: '80%',
};
const defaultWithinMs: Partial<Record<Kind, number>> = { drops: 15 * minuteMs, expiry: 14 * dayMs };
/** Of windows in which something is counted. */
const longestWindowMs = dayMs;
const defaultMinCount = 10;

/** The alerts of a config. Rules with faults are left out. */
export function alertsConfig(gateway: InFile<GatewayDocument>): AlertsConfig {
  const { to = [], interval = 10_000, rules = [] } = gateway.document.alerts ?? {};
  const receivers = to.map((_receiver, index) => receiverConfig(gateway, index)).filter((one) => one !== undefined);
  return {
    receivers,
    intervalMs: interval,
    rules: rules.flatMap((document, index) =>
      faultsOf(document).length > 0 ? [] : [ruleConfig(gateway, document, index)],
    ),
  };
}

/** The name of a receiver, as written or by its place in the list. */
export function receiverName({ name }: { readonly name?: string }, index: number): string {
  return name ?? `receiver ${index + 1}`;
}

/** The name of a rule, as written or made of what it is about. */
export function ruleName({ name, when, trigger, project, limit }: AlertRuleDocument): string {
  return name ?? [when, trigger ?? project ?? limit].filter((part) => part !== undefined).join(' ');
}

/** What contradicts itself in a rule. */
export function faultsOf(document: AlertRuleDocument): readonly AlertFault[] {
  const { when, within, between, days = [], zone, project, trigger } = document;
  const known = fieldsOf[when];
  const faults: AlertFault[] = allFields
    .filter((field) => document[field] !== undefined && !known.includes(field))
    .map((field) => ({
      field,
      message: `"${field}" says nothing to an alert of ${when}`,
      hint: known.length === 0 ? 'Remove it.' : `Fields of ${when} are ${known.join(', ')}.`,
    }));
  if (faults.length > 0) return faults;
  if (known.includes('threshold') && thresholdOf(document) === undefined) faults.push(badThreshold(document));
  if (within !== undefined && when !== 'expiry' && within > longestWindowMs) {
    faults.push({ field: 'within', message: `${when} are counted in a window of at most 24h` });
  }
  if (project !== undefined && trigger !== undefined && !trigger.startsWith(`${project}/`)) {
    const hint = 'Remove project: the trigger names it.';
    faults.push({ field: 'project', message: 'the trigger is one of another project', hint });
  }
  if (zone !== undefined && between === undefined && days.length === 0) {
    faults.push({ field: 'zone', message: 'a zone says nothing without between or days' });
  }
  if (between !== undefined && between.slice(0, 5) === between.slice(6)) {
    faults.push({ field: 'between', message: 'the hours are empty', hint: 'Remove between for all day.' });
  }
  return faults;
}

const thresholdForms: Partial<Record<Kind, string>> = {
  failures: 'a percentage from 0.01% to 100%, such as 20%',
  drops: 'percentage points from 0.01pp to 100pp, such as 20pp',
  latency: 'a duration, such as 20s',
  budget: 'a percentage from 0.01% to 100%, such as 80%',
  queue: 'a percentage from 0.01% to 100%, such as 80%',
};

function badThreshold({ when }: AlertRuleDocument): AlertFault {
  return { field: 'threshold', message: `the threshold of ${when} must be ${thresholdForms[when]}` };
}

/** A share from 0 to 1, or milliseconds. */
function thresholdOf({ when, threshold = defaultThresholds[when] ?? '' }: AlertRuleDocument): number | undefined {
  if (when === 'latency') return parseDuration(threshold) || undefined;
  return parseShare(threshold, when === 'drops' ? 'pp' : '%');
}

/** The share of a percentage, more than 0 and at most 1; undefined if it is none. */
export function parseShare(text: string, unit: '%' | 'pp'): number | undefined {
  const share = text.endsWith(unit) ? Number(text.slice(0, -unit.length)) / 100 : Number.NaN;
  return share > 0 && share <= 1 ? share : undefined;
}

function receiverConfig({ file, document }: InFile<GatewayDocument>, index: number): AlertReceiverConfig | undefined {
  const receiver = document.alerts?.to[index];
  return (
    receiver && {
      name: receiverName(receiver, index),
      format: receiver.format,
      url: receiver.url,
      secret: receiver.secret,
      folder: resolve(dirname(file)),
      place: { file, pointer: `/alerts/to/${index}` },
    }
  );
}

function ruleConfig(
  { file, document: gateway }: InFile<GatewayDocument>,
  document: AlertRuleDocument,
  index: number,
): AlertRuleConfig {
  const { when, for: forMs = defaultForMs[when] ?? 0, keepFiringFor = 0 } = document;
  return {
    name: ruleName(document),
    condition: conditionOf(document),
    scope: scopeOf(document),
    forMs,
    keepFiringForMs: keepFiringFor,
    to: document.to ?? (gateway.alerts?.to ?? []).map(receiverName),
    place: { file, pointer: `/alerts/rules/${index}` },
  };
}

function scopeOf({ project, trigger }: AlertRuleDocument): AlertScope {
  const [ofTrigger, key] = trigger?.split('/') ?? [];
  return { project: ofTrigger ?? project, trigger: key };
}

function conditionOf(document: AlertRuleDocument): AlertCondition {
  const { when, limit, percentile = 95, measure = 'request' } = document;
  const threshold = thresholdOf(document) ?? 0;
  const window = (per: AlertPer) => ({
    withinMs: document.within ?? defaultWithinMs[when] ?? 10 * minuteMs,
    minCount: document.minCount ?? defaultMinCount,
    per: document.per ?? per,
  });
  switch (when) {
    case 'failures':
    case 'drops':
      return { kind: when, threshold, ...window('trigger') };
    case 'latency':
      return { kind: when, thresholdMs: threshold, percentile, measure, ...window('trigger') };
    case 'silence':
      return { kind: when, per: document.per ?? 'all', hours: hoursOf(document) };
    case 'budget':
      return { kind: when, threshold, limit };
    case 'expiry':
      return { kind: when, withinMs: window('all').withinMs };
    case 'queue':
      return { kind: when, threshold };
    case 'reload':
    case 'circuit':
      return { kind: when };
  }
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function hoursOf({ between = '00:00-24:00', days, zone = 'UTC', ...rest }: AlertRuleDocument): AlertHours | undefined {
  if (rest.when !== 'silence' || (between === '00:00-24:00' && days === undefined)) return undefined;
  const [from = 0, to = 0] = between.split('-').map((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));
  return { from, to, days: [...new Set((days ?? ['sun-sat']).flatMap(daysOf))], zone };
}

function daysOf(written: string): readonly number[] {
  const [first = '', last = first] = written.split('-');
  const start = dayNames.indexOf(first);
  const length = (dayNames.indexOf(last) - start + 7) % 7;
  return Array.from({ length: length + 1 }, (_, step) => (start + step) % 7);
}
