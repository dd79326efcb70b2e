import type { Command } from 'commander';
import { registerKeysCreate } from './keys-create.ts';
import { registerKeysList } from './keys-list.ts';
import { registerKeysRotate } from './keys-rotate.ts';
import { registerKeysVerify } from './keys-verify.ts';
import type { ExitCode } from './terminal.ts';

export function registerKeys(program: Command, finish: (code: ExitCode) => void): void {
  const keys = program
    .command('keys')
    .summary('create, rotate and check API keys')
    .description(
      'API keys are files of the config that grant access to projects. The files contain only hashes of the secrets, ' +
        'so they can be committed.',
    );
  for (const register of [registerKeysCreate, registerKeysRotate, registerKeysList, registerKeysVerify])
    register(keys, finish);
}
