import type { Command } from 'commander';
import { registerKeysCreate } from './keys-create.ts';
import { registerKeysList } from './keys-list.ts';
import { registerKeysVerify } from './keys-verify.ts';
import type { ExitCode } from './terminal.ts';

export function registerKeys(program: Command, finish: (code: ExitCode) => void): void {
  const keys = program
    .command('keys')
    .summary('make and check API keys')
    .description(
      'API keys are files of the config: who has one may call what it names. The files hold only hashes of the secrets, ' +
        'so that they can be committed.',
    );
  for (const register of [registerKeysCreate, registerKeysList, registerKeysVerify]) register(keys, finish);
}
