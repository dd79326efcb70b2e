import { hash } from 'node:crypto';
import type { JsonObject } from '../../contract/index.ts';
import { nextStep } from './next-step.ts';
import type { AlertChange } from './state.ts';

/** What serves when an alert changes its state. */
export interface ServingConfig {
  readonly revision: string;
  readonly commit: string | undefined;
}

/** How many alerts one message shows: a flood becomes one message that says how many more there are. */
const mostShown = 20;

/**
 * One message of several changes to the same state. Plain data: it is stored until it is delivered. The numbers in it come from
 * counts, the words from config and code: it holds neither payloads nor secrets.
 */
export interface AlertMessage {
  /** The same for each attempt to send it. */
  readonly id: string;
  readonly state: 'firing' | 'resolved' | 'test';
  readonly at: number;
  readonly alerts: readonly JsonObject[];
  /** How many further alerts it is about. */
  readonly more: number;
  readonly serving: { readonly revision: string; readonly commit: string | null };
}

/** The message of changes to one state. */
export function messageOf(
  state: 'firing' | 'resolved',
  changes: readonly AlertChange[],
  { revision, commit }: ServingConfig,
): AlertMessage {
  // The same change has the same id, also if it is found again after a crash.
  const identity = changes.map(({ alert }) => [alert.rule, alert.subject, alert.since, alert.firedAt]);
  return {
    id: `alert_${hash('sha256', JSON.stringify([state, identity])).slice(0, 32)}`,
    state,
    at: changes[0]?.at ?? 0,
    alerts: changes.slice(0, mostShown).map(describe),
    more: Math.max(0, changes.length - mostShown),
    serving: { revision, commit: commit ?? null },
  };
}

function describe({ alert, at, state }: AlertChange): JsonObject {
  const { rule, kind, subject, since, firedAt, text } = alert;
  const { text: action, command, docs } = nextStep(alert);
  return {
    name: rule,
    kind,
    about: subject === '' ? null : subject,
    summary: subject === '' ? text : `${subject}: ${text}`,
    since: new Date(since).toISOString(),
    ...(firedAt !== undefined && { firedAt: new Date(firedAt).toISOString() }),
    ...(state === 'resolved' ? { resolvedAt: new Date(at).toISOString() } : { next: { text: action, command, docs } }),
  };
}

/** A message that says that it is only a test. */
export function testMessage(
  { name, kind }: { readonly name: string; readonly kind: AlertChange['alert']['kind'] },
  at: number,
  { revision, commit }: ServingConfig,
): AlertMessage {
  const { text, command, docs } = nextStep({ kind, subject: '' });
  const alert = {
    name,
    kind,
    about: null,
    summary: 'this is a test: nothing is wrong',
    since: new Date(at).toISOString(),
    next: { text, command, docs },
  };
  const id = `alert_${hash('sha256', JSON.stringify(['test', name, at, Math.random()])).slice(0, 32)}`;
  return { id, state: 'test', at, alerts: [alert], more: 0, serving: { revision, commit: commit ?? null } };
}

/** The body of a Standard Webhook. */
export function standardBody({ state, at, alerts, more, serving }: AlertMessage): string {
  return JSON.stringify({
    type: `alert.${state}`,
    timestamp: new Date(at).toISOString(),
    data: { alerts, more, revision: serving.revision, commit: serving.commit },
  });
}

/** The body of an incoming webhook of Slack; others of its kind read `text` alone. */
export function slackBody({ state, alerts, more, serving }: AlertMessage): string {
  const title = { firing: 'Firing', resolved: 'Resolved', test: 'Test' }[state];
  const lines = alerts.map(({ name, summary, since, next }) => {
    const { text, command, docs } = Object(next ?? {});
    const step = next === undefined ? '' : `\n${escaped(text)} \`${escaped(command)}\` (${escaped(docs)})`;
    return `*${title}: ${escaped(name)}*\n${escaped(summary)}\nsince ${escaped(since)}${step}`;
  });
  const rest = more === 0 ? [] : [`and ${more} more: \`pullcord alerts list\``];
  const commit = serving.commit === null ? '' : `, commit ${serving.commit.slice(0, 12)}`;
  const footer = `revision ${serving.revision.slice(0, 12)}${commit}`;
  const sections = [...lines, ...rest];
  return JSON.stringify({
    text: [...sections, footer].join('\n'),
    blocks: [
      ...sections.map((text) => ({ type: 'section', text: { type: 'mrkdwn', text: text.slice(0, 3000) } })),
      { type: 'context', elements: [{ type: 'mrkdwn', text: footer }] },
    ],
  });
}

/** Names in config must not become mentions or links of Slack. */
function escaped(value: unknown): string {
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
