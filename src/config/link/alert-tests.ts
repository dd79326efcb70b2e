import { suggest } from '../../diagnostics/closest.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { AlertEvent, AlertTest } from '../alert-model.ts';
import type { AlertEventDocument, AlertTestFileDocument } from '../documents.gen.ts';
import { ruleName } from './alert-config.ts';
import { unknownTrigger } from './alerts.ts';
import { type DocumentSet, errorAt, type InFile } from './document-set.ts';

/** The tests of alerts. Those with faults are left out. */
export function alertTests(documents: DocumentSet): readonly AlertTest[] {
  return documents.alertTests.flatMap(({ file, document }) => {
    const [project = '', trigger = ''] = (defaultTrigger(documents, document.alert) ?? '/').split('/');
    return document.tests.map(({ name, clock, events, expect }, index) => ({
      name,
      alert: document.alert,
      clock: Date.parse(clock),
      events: events.flatMap((event) => {
        const read = eventOf(event, { project, trigger });
        return read === undefined ? [] : [{ ...read, at: event.at }];
      }),
      expect: expect.map(({ at, state, sent }) => ({ at, state, sent })),
      place: { file, pointer: `/tests/${index}` },
    }));
  });
}

/** Tests are of an alert that exists; each event says one thing, in the order of time. */
export function alertTestProblems(documents: DocumentSet): readonly Problem[] {
  const rules = documents.gateways.flatMap(({ document }) => document.alerts?.rules ?? []);
  const names = rules.map(ruleName);
  return documents.alertTests.flatMap((tests) => {
    const { file, document } = tests;
    const { alert } = document;
    const isKnown = names.includes(alert) || documents.mayDeclare('Gateway');
    return [
      ...(isKnown
        ? []
        : [errorAt(file, '/alert', 'unknown_alert', `there is no alert "${alert}"`, suggest(alert, names, 'alerts'))]),
      ...document.tests.flatMap(({ events, expect }, index) => [
        ...events.flatMap((event, place) => eventProblems(event, documents, file, `/tests/${index}/events/${place}`)),
        ...unordered(tests, events, `/tests/${index}/events`),
        ...unordered(tests, expect, `/tests/${index}/expect`),
      ]),
    ];
  });
}

const happenings = ['requests', 'runs', 'attempts', 'reload', 'circuit', 'queue', 'used', 'expires'] as const;

function eventProblems(
  event: AlertEventDocument,
  documents: DocumentSet,
  file: string,
  pointer: string,
): readonly Problem[] {
  const { trigger, used, limit } = event;
  const said = happenings.filter((name) => event[name] !== undefined);
  if (said.length !== 1) {
    const message = said.length === 0 ? 'the event says nothing' : `the event says both ${said.join(' and ')}`;
    return [errorAt(file, pointer, 'bad_alert', message, `Write one of ${happenings.join(', ')}.`)];
  }
  if ((used === undefined) !== (limit === undefined)) {
    return [errorAt(file, pointer, 'bad_alert', 'used and limit belong together', 'Name the limit of `used`.')];
  }
  return trigger === undefined ? [] : unknownTrigger(documents, trigger, file, `${pointer}/trigger`);
}

function unordered(
  { file }: InFile<AlertTestFileDocument>,
  list: readonly { readonly at: number }[],
  pointer: string,
): readonly Problem[] {
  const index = list.findIndex(({ at }, place) => at < (list[place - 1]?.at ?? 0));
  if (index === -1) return [];
  return [errorAt(file, `${pointer}/${index}/at`, 'bad_alert', 'it is earlier than the one before', 'Sort by time.')];
}

/** Of events that name none. */
function defaultTrigger({ gateways, triggers }: DocumentSet, alert: string): string | undefined {
  const rules = gateways.flatMap(({ document }) => document.alerts?.rules ?? []);
  const rule = rules.find((one) => ruleName(one) === alert);
  if (rule?.trigger !== undefined) return rule.trigger;
  const names = triggers
    .filter(({ document }) => rule?.project === undefined || document.project === rule.project)
    .map(({ document: { project, key } }) => `${project}/${key}`);
  return names.sort()[0];
}

function eventOf(
  event: AlertEventDocument,
  fallback: { readonly project: string; readonly trigger: string },
): AlertEvent | undefined {
  const { requests, runs, attempts, reload, circuit, queue, used, limit, expires, count, took: tookMs } = event;
  const [project = '', trigger = ''] = event.trigger?.split('/') ?? [fallback.project, fallback.trigger];
  const named = { project, trigger };
  if (requests !== undefined) return { kind: 'requests', ...named, outcome: requests, count, tookMs };
  if (runs !== undefined) return { kind: 'runs', ...named, state: runs, count };
  if (attempts !== undefined) return { kind: 'attempts', ...named, result: attempts, count, tookMs };
  if (reload !== undefined) return { kind: 'reload', outcome: reload };
  if (circuit !== undefined) return { kind: 'circuit', ...named, isOpen: circuit === 'open' };
  if (queue !== undefined) return { kind: 'queue', share: Number.parseFloat(queue) / 100 };
  if (used !== undefined && limit !== undefined) return { kind: 'used', limit, share: Number.parseFloat(used) / 100 };
  return expires === undefined ? undefined : { kind: 'expires', inMs: expires };
}
