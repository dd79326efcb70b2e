import { isDeepStrictEqual } from 'node:util';
import type {
  CallbackConfig,
  DebounceConfig,
  NamedUse,
  RecordingPolicy,
  RunUse,
  TriggerConfig,
} from '../../config/model.ts';
import { descriptorOf } from '../../config/stages.ts';
import { usesOf } from '../../config/uses-of.ts';
import { type Stage, stages } from '../../contract/index.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { sorted } from '../meaning/canonical-options.ts';
import { describeValue } from '../words.ts';
import { compareAuth, compareUse, compareValue, showDuration, showSize } from './compare-uses.ts';
import { limitDetails } from './limit-details.ts';
import { compareNamed } from './named-uses.ts';
import type { StructureDetail } from './plan.ts';

/** What changes in a trigger, including the defaults of its project and gateway; of a new one, what it has. */
export function triggerDetails(before: TriggerConfig | undefined, after: TriggerConfig): readonly StructureDetail[] {
  const { place } = after;
  return [
    ...(before === undefined && after.status === 'active'
      ? []
      : compareValue('status', before?.status, after.status, place)),
    ...compareValue('key', before?.key ?? after.key, after.key, place),
    ...(before === undefined ? [] : compareValue('name', before.name, after.name, place)),
    ...stages.flatMap((stage) => compareStage(stage, before, after)),
    ...compareBody(before?.body, after.body, place),
    ...limitDetails(before, after),
    ...compareCallback(before?.callback, after.callback, place),
    ...compareValue('record keep', before?.record.keep ?? 'full', after.record.keep, place),
    ...compareValue('record mask', sorted(before?.record.mask ?? []), sorted(after.record.mask), place),
    ...compareValue('recording', before && writtenRecording(before), writtenRecording(after), place, showRecording),
    ...(before === undefined
      ? []
      : compareValue('sessions ttl', before.sessions.ttlMs, after.sessions.ttlMs, place, showDuration)),
    ...compareDebounce(before?.debounce, after.debounce, place),
    ...compareValue('sessions scope', before?.sessions.scope ?? 'caller', after.sessions.scope, place),
    ...compareValue('sessions onBusy', before?.sessions.onBusy ?? 'enqueue', after.sessions.onBusy, place),
  ];
}

function compareStage(
  stage: Stage,
  before: TriggerConfig | undefined,
  after: TriggerConfig,
): readonly StructureDetail[] {
  const { named, many } = descriptorOf(stage);
  const { place } = after;
  const old = before && usesOf(before, stage);
  const now = usesOf(after, stage);
  // The table says that these uses have names.
  if (named) return compareNamed(stage, (old ?? []) as readonly NamedUse[], now as readonly NamedUse[], place);
  if (many) return compareAuth(stage, old, now, place);
  const details = compareUse(stage, old?.[0], now[0], place);
  return stage === 'run' && before !== undefined ? [...details, ...compareLimits(before.run, after.run)] : details;
}
function compareLimits(before: RunUse, after: RunUse): readonly StructureDetail[] {
  const { place } = after;
  return [
    ...compareValue('run concurrency', shownConcurrency(before), shownConcurrency(after), place),
    ...compareValue('run circuit', shownCircuit(before), shownCircuit(after), place),
    ...compareValue('run delay', before.delayMs, after.delayMs, place, showDuration),
    ...compareValue('run notBefore', before.notBeforeMs, after.notBeforeMs, place, showDuration),
    ...compareValue('run timeout', before.timeoutMs, after.timeoutMs, place, showDuration),
    ...compareValue('run bindings', before.bindings, after.bindings, place),
    ...compareValue('run retry', before.retry, after.retry, place, (retry) => {
      const { attempts, backoffMs, maxMs } = retry as RunUse['retry'];
      if (attempts === 1) return 'none';
      return `${attempts} attempts, ${showDuration(backoffMs)} to ${showDuration(maxMs)} apart`;
    }),
  ];
}

/** As a number alone if it is written so. */
function shownConcurrency({ concurrency }: RunUse): number | string | undefined {
  if (concurrency?.per === undefined) return concurrency?.limit;
  const { limit, per } = concurrency;
  return `${limit} per ${per.kind === 'expression' ? per.expression : per.kind}`;
}

function shownCircuit({ circuit }: RunUse): string | undefined {
  return circuit && `${circuit.failures} failures, pause ${showDuration(circuit.pauseMs)}`;
}

function compareBody(
  before: TriggerConfig['body'] | undefined,
  after: TriggerConfig['body'],
  place: Place,
): readonly StructureDetail[] {
  const { fields, accept, limitBytes, session, jsonFields } = after;
  // Without one of its own, it is the gateway's, which is compared by itself.
  const hasLimit = before !== undefined && (before.place !== undefined || after.place !== undefined);
  return [
    ...compareValue('body fields', before?.fields, fields, place),
    ...compareValue('body accept', before?.accept && sorted(before.accept), accept && sorted(accept), place),
    ...(hasLimit ? compareValue('body limit', before.limitBytes, limitBytes, place, showSize) : []),
    ...compareValue('body session', before?.session, session, place),
    ...compareValue(
      'body form json',
      before?.jsonFields && sorted(before.jsonFields),
      jsonFields && sorted(jsonFields),
      place,
    ),
  ];
}

function compareDebounce(
  before: DebounceConfig | undefined,
  after: DebounceConfig | undefined,
  place: Place,
): readonly StructureDetail[] {
  return compareValue(
    'debounce',
    before && describeDebounce(before),
    after && describeDebounce(after),
    after?.place ?? place,
  );
}

function describeDebounce({ waitMs, maxMs, per }: DebounceConfig): string {
  const value = per === undefined ? '' : ` per ${per.kind === 'expression' ? per.expression : per.kind}`;
  return `${showDuration(waitMs)}, at most ${showDuration(maxMs)}${value}`;
}

function compareCallback(
  before: CallbackConfig | undefined,
  after: CallbackConfig | undefined,
  place: Place,
): readonly StructureDetail[] {
  const show = (callback: CallbackConfig | undefined) =>
    callback && `${describeValue(callback.url)} signed with ${describeValue({ ...callback.secret })}`;
  const isSame = before?.url === after?.url && isDeepStrictEqual(before?.secret, after?.secret);
  return isSame ? [] : [{ what: 'callback', before: show(before), after: show(after), place: after?.place ?? place }];
}

type WrittenRecording = Omit<RecordingPolicy, 'keepsBodies'>;

/**
 * What a trigger records where that is not the default: undefined. The order of masks has no meaning. What `record` says has a
 * line of its own; its masks are shown again only for a sample.
 */
function writtenRecording({ recording, record }: TriggerConfig): WrittenRecording | undefined {
  if (recording === undefined) return { rate: 0, refused: false, count: undefined, ageMs: undefined, mask: [] };
  const { keepsBodies: _keepsBodies, mask: all, ...written } = recording;
  const mask = sorted(written.rate > 0 ? all : all.filter((pointer) => !record.mask.includes(pointer)));
  const { rate, refused, count, ageMs } = written;
  const isDefault = rate === 0 && refused && count === undefined && ageMs === undefined && mask.length === 0;
  return isDefault ? undefined : { ...written, mask };
}

function showRecording(recording: unknown): string | undefined {
  if (recording === undefined) return undefined;
  const { rate, refused, mask, count, ageMs } = recording as WrittenRecording;
  if (rate === 0 && !refused) return 'off';
  const which = rate === 0 ? 'only what is dropped, limited or failed' : `${rate * 100} % of requests`;
  const bounds = [count === undefined ? [] : `${count} kept`, ageMs === undefined ? [] : `for ${showDuration(ageMs)}`];
  const chosen = refused ? which : `${which}, whatever their outcome`;
  return [chosen, ...bounds.flat(), ...(mask.length > 0 ? [`mask ${mask.join(' ')}`] : [])].join(', ');
}
