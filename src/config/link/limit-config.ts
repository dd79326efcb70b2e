import { hash } from 'node:crypto';
import { billionthsOf, parseRate, type Rate, writeCost, writeWindow } from '../../schema/rate.ts';
import type {
  ApiKeyDocument,
  GatewayDocument,
  LimitDocument,
  ProjectDocument,
  TriggerDocument,
} from '../documents.gen.ts';
import type { LimitConfig, LimitPer, LimitWindow } from '../model.ts';
import { triggerId } from '../trigger-key.ts';
import type { InFile } from './document-set.ts';

/** A list of limits: where it is declared, and what they count for. */
export interface LimitList {
  readonly level: LimitConfig['level'];
  /** Id of the project, trigger or key; empty for the gateway. */
  readonly owner: string;
  readonly file: string;
  readonly limits: readonly LimitDocument[];
}

export function gatewayLimits({ file, document: { limits } }: InFile<GatewayDocument>): LimitList {
  return { level: 'gateway', owner: '', file, limits };
}

export function projectLimits({ file, document: { id, limits } }: InFile<ProjectDocument>): LimitList {
  return { level: 'project', owner: id, file, limits };
}

export function triggerLimits({ file, document: { project, key, limits } }: InFile<TriggerDocument>): LimitList {
  return { level: 'trigger', owner: triggerId(project, key), file, limits };
}

export function keyLimits({ file, document: { id, limits } }: InFile<ApiKeyDocument>): LimitList {
  return { level: 'key', owner: id, file, limits };
}

/** What is wrong with a limit, and at which of its fields; the whole limit if the field is empty. */
export interface LimitFault {
  readonly field: string;
  readonly message: string;
  readonly hint?: string;
}

export type ReadLimit =
  | { readonly ok: true; readonly limit: LimitConfig }
  | { readonly ok: false; readonly faults: readonly LimitFault[] };

const units = ['requests', 'runs', 'tokens', 'cost'] as const;

/** The limits of a list that have no faults of their own. */
export function limitsOf(list: LimitList): readonly LimitConfig[] {
  return list.limits.flatMap((_document, index) => {
    const read = readLimit(list, index);
    return read.ok ? [read.limit] : [];
  });
}

/** Reads one limit of a list. */
export function readLimit(list: LimitList, index: number): ReadLimit {
  const document: Partial<LimitDocument> = list.limits[index] ?? {};
  const [unit, second] = units.filter((one) => document[one] !== undefined);
  if (unit === undefined) {
    const hint = 'Write one of requests, runs, tokens and cost, for example runs: 60/1m';
    return { ok: false, faults: [{ field: '', message: 'the limit does not say what it counts', hint }] };
  }
  if (second !== undefined) {
    const hint = `Make two limits of it, one of ${unit} and one of ${second}.`;
    return { ok: false, faults: [{ field: second, message: `the limit counts ${unit} already`, hint }] };
  }
  const parsed = parseRate(document[unit] ?? '', unit === 'cost' ? 'cost' : 'count');
  if (!parsed.ok) return { ok: false, faults: [{ field: unit, message: `"${unit}" ${parsed.fault}` }] };
  const estimate = estimateOf(document, unit);
  const faults = faultsOf(document, unit, parsed.rate, estimate);
  if (faults.length > 0) return { ok: false, faults };
  const { amount, window: written } = parsed.rate;
  const window: LimitWindow = written.kind === 'period' ? written : { ...written, zone: document.zone ?? defaultZone };
  const counted = { unit, amount, window, burst: document.burst, per: perOf(document.per) };
  return {
    ok: true,
    limit: {
      id: idOf(list, counted, document.name),
      name: document.name ?? madeName(counted),
      level: list.level,
      ...counted,
      isShadow: document.mode === 'shadow',
      estimate,
      maxValues: document.values ?? defaultMaxValues,
      place: { file: list.file, pointer: `/limits/${index}` },
    },
  };
}

const defaultZone = 'UTC';
/** How many values of `per` are counted apart, as the schema says. */
export const defaultMaxValues = 100_000;

/** Of cost in billionths; undefined where there is none, or one that cannot be counted exactly. */
function estimateOf({ estimate }: Partial<LimitDocument>, unit: LimitConfig['unit']): number | undefined {
  if (estimate === undefined) return undefined;
  const exact = unit === 'cost' ? billionthsOf(estimate) : estimate;
  return exact !== undefined && Number.isSafeInteger(exact) ? exact : undefined;
}

function faultsOf(
  document: Partial<LimitDocument>,
  unit: LimitConfig['unit'],
  { amount, window }: Rate,
  estimate: number | undefined,
): readonly LimitFault[] {
  const { per, burst, zone } = document;
  const faults: LimitFault[] = [];
  const isCalendar = window.kind !== 'period';
  if (unit === 'requests' && per === 'session') {
    const message = 'requests are counted before the body is read, so not per session';
    faults.push({ field: 'per', message, hint: 'Count runs per session.' });
  }
  if (burst !== undefined) {
    const hint = 'Remove burst.';
    if (unit === 'tokens' || unit === 'cost') {
      faults.push({ field: 'burst', message: `only requests and runs are spread evenly, not ${unit}`, hint });
    } else if (isCalendar) {
      const message = 'the amount of a day or a month of the calendar is not spread evenly';
      faults.push({ field: 'burst', message, hint: `${hint} Or write a period, such as 24h for 1d.` });
    } else if (burst > amount) {
      faults.push({ field: 'burst', message: `"burst" must be at most the amount, which is ${amount}` });
    }
  }
  if (zone !== undefined && !isCalendar) {
    const message = 'only 1d and 1mo follow the calendar of a zone';
    faults.push({ field: 'zone', message, hint: 'Remove zone, or count by 1d or 1mo.' });
  }
  if (document.estimate !== undefined) faults.push(...estimateFaults(unit, amount, estimate));
  return faults;
}

function estimateFaults(
  unit: LimitConfig['unit'],
  amount: number,
  estimate: number | undefined,
): readonly LimitFault[] {
  const field = 'estimate';
  if (unit === 'requests' || unit === 'runs') {
    return [{ field, message: `only tokens and cost are estimated, not ${unit}`, hint: 'Remove estimate.' }];
  }
  if (estimate === undefined) {
    const form = unit === 'cost' ? 'have at most nine decimals' : 'be a whole number';
    return [{ field, message: `"estimate" must ${form}` }];
  }
  if (estimate <= amount) return [];
  return [{ field, message: '"estimate" is more than the limit, so that no run would fit' }];
}

/** What is counted apart, as it is written in YAML. */
export function perOf(per: string | undefined): LimitPer | undefined {
  switch (per) {
    case undefined:
      return undefined;
    case 'key':
    case 'ip':
    case 'session':
    case 'trigger':
    case 'project':
      return { kind: per };
    default:
      return { kind: 'expression', expression: per };
  }
}

type Counted = Pick<LimitConfig, 'unit' | 'amount' | 'window' | 'burst' | 'per'>;

/** The longest expression that an id repeats; of a longer one it has a digest. */
const longestExpression = 48;

/** All that makes counters comparable: not the amount, so that a limit that is raised keeps what it has counted. */
function idOf({ level, owner }: LimitList, { unit, window, burst, per }: Counted, name: string | undefined): string {
  return [
    level,
    ...(owner === '' ? [] : [owner]),
    `${unit}/${writeWindow(window)}`,
    ...(window.kind === 'period' ? [] : [`in ${window.zone}`]),
    // The counter of a rate means something else than that of a window.
    ...(burst === undefined ? [] : ['evenly']),
    ...(name === undefined ? [] : [`as ${JSON.stringify(name)}`]),
    ...(per === undefined ? [] : [`per ${per.kind === 'expression' ? shortened(per.expression) : per.kind}`]),
  ].join(' ');
}

function shortened(expression: string): string {
  const isShort = expression.length <= longestExpression && /^[!-~]([ -~]*[!-~])?$/.test(expression);
  return isShort ? expression : `sha256:${hash('sha256', expression).slice(0, 32)}`;
}

/** The longest name, as its schema says. */
const longestName = 64;

/** A name for a limit that has none, in printable ASCII. */
function madeName(counted: Counted): string {
  const words = describeLimit(counted);
  const printable = words
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^ -~]/g, '?')
    .trim();
  return printable.length <= longestName ? printable : `${printable.slice(0, longestName - 3)}...`;
}

/** What a limit says, e.g. `60 runs/1m per key`. */
export function describeLimit({ unit, amount, window, per }: Counted): string {
  const zone = window.kind === 'period' || window.zone === defaultZone ? '' : ` in ${window.zone}`;
  const value = per === undefined ? '' : ` per ${per.kind === 'expression' ? per.expression : per.kind}`;
  return `${unit === 'cost' ? writeCost(amount) : amount} ${unit}/${writeWindow(window)}${zone}${value}`;
}
