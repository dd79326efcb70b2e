import type { Command } from 'commander';
import { registerEngineCopy } from './engine-copy.ts';
import type { ExitCode } from './terminal.ts';

/** `pullcord engine …`: the stores of stopped gateways. */
export function registerEngine(program: Command, finish: (code: ExitCode) => void): void {
  const engine = program
    .command('engine')
    .summary('copy what a gateway keeps to another engine')
    .description('Works on the stores of engines themselves, while no gateway uses them.');
  registerEngineCopy(engine, finish);
}
