import { diagnosticGroups } from '../../src/diagnostics/codes.ts';
import { page, table } from './markdown.ts';

export function diagnosticsPage(): string {
  const groups = Object.entries(diagnosticGroups).flatMap(([title, codes]) => [
    `## ${title}`,
    table(
      ['`code`', 'Meaning'],
      Object.entries(codes).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
  ]);
  return page(
    'src/diagnostics/codes.ts',
    '# Problem codes',
    'Every diagnostic of `validate`, `test`, `plan` and the gateway has a code, a place, a message and often a hint. Programs match on the code: it is never renamed and never gets another meaning. `--format json` has it as `code`, `--format github` as `title`, `--format sarif` as `ruleId`. The last two name files from the root of the repository, wherever the command was run.',
    ...groups,
  );
}
