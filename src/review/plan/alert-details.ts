import type { AlertReceiverConfig, AlertRuleConfig, AlertsConfig } from '../../config/alert-model.ts';
import { describeValue, oneLine } from '../words.ts';
import { showDuration } from './compare-uses.ts';
import type { StructureDetail } from './plan.ts';

/** What changes in rules and receivers of alerts: those of one name are compared with each other. */
export function alertDetails(before: AlertsConfig, after: AlertsConfig): readonly StructureDetail[] {
  return [
    ...differences('alert', before.rules, after.rules, showRule),
    ...differences('alert receiver', before.receivers, after.receivers, showReceiver),
  ];
}

interface Named {
  readonly name: string;
  readonly place: StructureDetail['place'];
}

function differences<T extends Named>(
  what: string,
  before: readonly T[],
  after: readonly T[],
  show: (one: T) => string,
): readonly StructureDetail[] {
  const old = new Map(before.map((one) => [one.name, one]));
  const now = new Map(after.map((one) => [one.name, one]));
  return [...new Set([...now.keys(), ...old.keys()])].flatMap((name): StructureDetail[] => {
    const [one, other] = [old.get(name), now.get(name)];
    const [was, is] = [one && show(one), other && show(other)];
    const place = (other ?? one)?.place;
    return was === is || place === undefined
      ? []
      : [{ what: `${what} ${JSON.stringify(name)}`, before: was, after: is, place }];
  });
}

function showRule({ condition, scope, forMs, keepFiringForMs, to }: AlertRuleConfig): string {
  const { kind, ...details } = condition;
  const { project, trigger } = scope;
  const parts = [
    kind,
    ...(project === undefined ? [] : [`of ${[project, trigger].filter((part) => part !== undefined).join('/')}`]),
    ...Object.entries(details).flatMap(([name, value]) => (value === undefined ? [] : [showMember(name, value)])),
    ...(forMs === 0 ? [] : [`for ${showDuration(forMs)}`]),
    ...(keepFiringForMs === 0 ? [] : [`keepFiringFor ${showDuration(keepFiringForMs)}`]),
    to.length === 0 ? 'to nobody' : `to ${to.join(' and ')}`,
  ];
  return oneLine(parts.join(', '));
}

function showMember(name: string, value: unknown): string {
  if (name.endsWith('Ms')) return `${name.slice(0, -2)} ${showDuration(Number(value))}`;
  if (name === 'threshold') return `threshold ${Math.round(Number(value) * 10_000) / 100}%`;
  return `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
}

/** The name of a secret, never its value. */
function showReceiver({ format, url, secret }: AlertReceiverConfig): string {
  const address = typeof url === 'string' ? url : describeValue({ ...(url as { readonly env: string }) });
  const signed = secret === undefined ? '' : `, secret ${describeValue({ ...(secret as { readonly env: string }) })}`;
  return oneLine(`${format}, ${address}${signed}`);
}
