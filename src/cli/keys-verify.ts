import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Config } from '../config/model.ts';
import type { ApiKeyDeclaration, ApiKeySecret } from '../contract/index.ts';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import { digestOf, isWellFormed } from './key-secret.ts';
import { loadForCommand } from './load-for-command.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

export function registerKeysVerify(keys: Command, finish: (code: ExitCode) => void): void {
  keys
    .command('verify')
    .argument('[secret]', 'the secret; by default it is read from stdin, which keeps it out of the shell history')
    .summary('check whether a secret is a valid API key')
    .description(
      'Reports which API key or admin token of the config a secret belongs to, and whether the gateway would accept it now.',
    )
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: ['pullcord keys verify <secret.txt'],
        exitCodes: { 0: 'the gateway would accept it', 1: 'it would not, or the config has problems' },
      }),
    )
    .action(async (argument: string | undefined, { config: root }: { config: string }) => {
      const config = await loadForCommand(root);
      if (config === undefined) return finish(exitCodes.problems);
      const secret = argument ?? (await text(process.stdin)).trim();
      finish(verifyAdminToken(secret, config.admin) ?? verify(secret, config.apiKeys));
    });
}

/** Undefined if it is no token of the admin listener. */
function verifyAdminToken(secret: string, { tokens }: Config['admin']): ExitCode | undefined {
  const digest = digestOf(secret);
  const token = tokens.find(({ sha256 }) => sha256 === digest);
  if (token === undefined) return undefined;
  const { id, role, expiresAt } = token;
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    terminal.data(`not valid: admin token ${id} has expired since ${new Date(expiresAt).toISOString()}`);
    return exitCodes.problems;
  }
  terminal.data(`valid: admin token ${id}; role ${role}`);
  return exitCodes.fine;
}

function verify(secret: string, apiKeys: readonly ApiKeyDeclaration[]): ExitCode {
  const digest = digestOf(secret);
  for (const key of apiKeys) {
    const declared = key.secrets.find(({ sha256 }) => sha256 === digest);
    if (declared === undefined) continue;
    const fault = faultOf(key, declared);
    const granted = `permissions ${key.permissions.join(', ')}; projects ${key.projects.join(', ')}`;
    terminal.data(
      fault === undefined ? `valid: API key ${key.id}; ${granted}` : `not valid: API key ${key.id} ${fault}`,
    );
    return fault === undefined ? exitCodes.fine : exitCodes.problems;
  }
  terminal.data(
    isWellFormed(secret)
      ? 'not valid: a well-formed secret, but no API key of this config has it'
      : 'not valid: no API key of this config has it, and it is not a secret that pullcord made (mistyped or cut off?)',
  );
  return exitCodes.problems;
}

function faultOf(key: ApiKeyDeclaration, secret: ApiKeySecret): string | undefined {
  if (key.status === 'revoked') return 'is revoked';
  if (secret.expiresAt !== undefined && secret.expiresAt <= Date.now()) {
    return `has this secret expired since ${new Date(secret.expiresAt).toISOString()}`;
  }
  return undefined;
}
