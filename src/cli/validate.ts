import { type Command, Option } from 'commander';
import { type ProblemFormat, problemFormats } from '../diagnostics/formats.ts';
import { configOption, existingFolder } from './config-option.ts';
import { helpText } from './help-text.ts';
import { printedFrom } from './printed-from.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

interface ValidateOptions {
  readonly config: string;
  readonly format: ProblemFormat;
  readonly verbose: boolean;
}

export function registerValidate(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('validate')
    .summary('check the config files')
    .description(
      'Reads all config files and provisions everything that they declare, as serve would, but starts nothing. ' +
        'Prints every problem at once. A missing secret is a warning, since the machine that checks a ' +
        'pull request need not have it.',
    )
    .addOption(configOption())
    .addOption(new Option('--format <format>', 'how to print problems').choices(problemFormats).default('text'))
    .option('-v, --verbose', 'also print notes, e.g. which filters are compiled and which are isolated', false)
    .addHelpText(
      'after',
      helpText({
        examples: [
          'pullcord validate',
          'pullcord validate -v',
          'pullcord validate --config deploy/config --format github',
        ],
        exitCodes: { 0: 'no errors; there may be warnings', 1: 'there are errors' },
      }),
    )
    .action(async ({ config: root, format, verbose }: ValidateOptions) => {
      const { checkConfig } = await import('../runtime/check-config.ts');
      const { problems: found, sources, summary } = await checkConfig(existingFolder(root));
      const problems = verbose ? found : found.filter(({ severity }) => severity !== 'note');
      const { formatProblems } = await import('../diagnostics/format.ts');
      const text = formatProblems(problems, sources, { format, color: terminal.hasColor, ...printedFrom(root) });
      if (text !== '') terminal.data(text);
      const errors = problems.filter((problem) => problem.severity === 'error').length;
      const warnings = problems.filter((problem) => problem.severity === 'warning').length;
      terminal.words(
        `${root}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}${summary ? `; ${summary}` : ''}`,
      );
      finish(errors > 0 ? exitCodes.problems : exitCodes.fine);
    });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
