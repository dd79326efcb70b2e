import type { Command } from 'commander';
import type { JsonObject } from '../contract/index.ts';
import type { AlertsAccess } from './access.ts';
import { type AccessOptions, withGateway } from './gateway-access.ts';
import { type FormatOptions, type GatewayCommandTexts, gatewayCommand, withFormats } from './gateway-command.ts';
import { table } from './table.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

/** `pullcord alerts …`: what the gateway alerts people to. */
export function registerAlerts(program: Command, finish: (code: ExitCode) => void): void {
  const alerts = program
    .command('alerts')
    .summary('list alerts, and test their receivers')
    .description(
      'Works on the running gateway, which evaluates the alerts of gateway.yaml, through its admin listener. ' +
        'The token of the admin listener is that in PULLCORD_ADMIN_TOKEN, else `admin.token` of the config.',
    );
  withFormats(gatewayCommand(alerts, listTexts, { isDefault: true })).action(
    async (options: AccessOptions & FormatOptions) =>
      finish(await withGateway(options, (access) => list(access.alerts, options))),
  );
  withFormats(gatewayCommand(alerts, testTexts).argument('<name>', 'name of the alert')).action(
    async (name: string, options: AccessOptions & FormatOptions) =>
      finish(await withGateway(options, (access) => test(access.alerts, name, options))),
  );
}

const listTexts: GatewayCommandTexts = [
  'list',
  'list alerts: state, since when, what was sent',
  'Lists the alerts of gateway.yaml: whether they fire, since when and why, and what became of the last message.',
  {
    examples: ['pullcord alerts', 'pullcord alerts list --json'],
    exitCodes: { 0: 'success; the list may be empty', 1: 'the gateway is not reachable' },
  },
];

const testTexts: GatewayCommandTexts = [
  'test',
  'send a test message to the receivers of an alert',
  'Sends a message that says it is a test to the receivers of an alert, once, and shows what they answer.',
  {
    examples: ['pullcord alerts test agents-fail'],
    exitCodes: {
      0: 'every receiver has accepted it',
      1: 'one has not, the alert has no receivers or does not exist, or the gateway is not reachable',
    },
  },
];

async function list(access: AlertsAccess, { format, json }: FormatOptions): Promise<ExitCode> {
  const alerts = await access.list();
  if (json || format === 'json') terminal.data(JSON.stringify({ alerts }, undefined, 2));
  else if (alerts.length === 0) terminal.words('no alerts');
  else terminal.data(table(head, alerts.flatMap(rowsOf)));
  return exitCodes.fine;
}

async function test(access: AlertsAccess, name: string, { format, json }: FormatOptions): Promise<ExitCode> {
  const receivers = await access.test(name);
  if (receivers === undefined) {
    terminal.words(`error: there is no alert ${name}; \`pullcord alerts\` lists them`);
    return exitCodes.problems;
  }
  if (json || format === 'json') terminal.data(JSON.stringify({ name, receivers }, undefined, 2));
  else if (receivers.length === 0) terminal.words(`the alert ${name} has no receivers: add some to alerts.to`);
  else terminal.data(table(['RECEIVER', 'RESULT', 'STATUS', 'FAILURE'], receivers.map(answerOf)));
  const isFine = receivers.length > 0 && receivers.every(({ result }) => result === 'delivered');
  return isFine ? exitCodes.fine : exitCodes.problems;
}

function answerOf({ name, result, status, failure }: JsonObject): readonly unknown[] {
  return [name, result, status ?? '', failure ?? ''];
}

const head = ['ALERT', 'STATE', 'SINCE', 'ABOUT', 'MESSAGE', 'SENT'];

function rowsOf({ name, state, alerts, receivers }: JsonObject): readonly (readonly unknown[])[] {
  const sent = (Array.isArray(receivers) ? receivers : []).flatMap((receiver) => {
    const { name: to, result, lastState } = Object(receiver);
    return result === null ? [] : [`${to}: ${lastState} ${result}`];
  });
  const active = Array.isArray(alerts) ? alerts : [];
  if (active.length === 0) return [[name, state, '', '', '', sent.join(', ')]];
  return active.map((alert) => {
    const { state: own, since, about, message } = Object(alert);
    return [name, own, since, about ?? '', message, sent.join(', ')];
  });
}
