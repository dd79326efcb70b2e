import type { ActiveAlert } from './state.ts';

/** What an operator does about an alert. */
export interface NextStep {
  /** One sentence. */
  readonly text: string;
  /** A command that shows more. */
  readonly command: string;
  /** Where it is explained, in the documentation. */
  readonly docs: string;
}

/** What to do next, by the kind of an alert. */
export function nextStep({ kind, subject }: Pick<ActiveAlert, 'kind' | 'subject'>): NextStep {
  const trigger = subject.includes('/') ? ` --trigger ${subject}` : '';
  const step = (text: string, command: string): NextStep => ({ text, command, docs: `docs/alerts.md#${kind}` });
  switch (kind) {
    case 'failures':
      return step(
        'Read why runs fail; once the agent works again, replay them.',
        `pullcord runs list --state failed${trigger} --since 1h`,
      );
    case 'silence':
      return step(
        'Check that the senders still send, and what was refused or dropped.',
        `pullcord requests list${trigger} --since 24h`,
      );
    case 'drops':
      return step(
        'Look at what is dropped now, and take back the change of the filter if it is wrong.',
        `pullcord requests list --verdict dropped${trigger} --since 1h`,
      );
    case 'latency':
      return step(
        'See which runs take long, and whether they wait for a place in the queue.',
        `pullcord runs list${trigger} --since 1h`,
      );
    case 'budget':
      return step('See who uses it up; raise the limit, or wait until it resets.', 'pullcord limits list');
    case 'expiry':
      return step(
        'Create another secret beside it, change over the callers, then remove the old one.',
        'pullcord keys list',
      );
    case 'reload':
      return step('Read what is wrong with the config, and correct it.', 'pullcord validate');
    case 'queue':
      return step(
        'See what waits; the agents may be slow, or `concurrency` too low.',
        'pullcord runs list --state queued',
      );
    case 'circuit':
      return step(
        'Check the agent of the trigger: its queue continues once it answers again.',
        `pullcord runs list --state queued${trigger}`,
      );
  }
}
