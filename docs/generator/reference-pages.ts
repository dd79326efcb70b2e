import { commandPages, commandTable } from './command-pages.ts';
import { diagnosticsPage } from './diagnostics-page.ts';
import { errorPage } from './error-page.ts';
import { expressionErrorPage } from './expression-error-page.ts';
import { bodyPage, kindPage, kinds } from './kind-pages.ts';
import { page } from './markdown.ts';
import { metricsPage } from './metrics-page.ts';
import { outputList, outputPages } from './output-pages.ts';
import { pluginPages, pluginTable } from './plugin-pages.ts';
import { schemePage } from './scheme-page.ts';
import { stagePage } from './stage-page.ts';
import { valuePage } from './value-page.ts';

/** All pages of docs/reference/, by their paths below it. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['README.md', indexPage()],
    ...kinds.map((kind): [string, string] => [kind.file, kindPage(kind)]),
    ['stages.md', stagePage()],
    ['values.md', valuePage()],
    ['request-body.md', bodyPage()],
    ['signature-schemes.md', schemePage()],
    ['error-codes.md', errorPage()],
    ['expression-errors.md', expressionErrorPage()],
    ['problem-codes.md', diagnosticsPage()],
    ['metrics.md', metricsPage()],
    ...(await outputPages()),
    ...commandPages(),
    ...pluginPages(),
  ]);
}

function indexPage(): string {
  const links = kinds.map(({ file, kind, schema }) => `- [\`kind: ${kind}\`](${file}): ${schema.description}`);
  return page(
    'the schemas, the plugins, the command line and the error codes',
    '# Reference',
    '## Config files',
    `One document per file, each with \`version: 1\` and a \`kind\`. All \`*.yaml\` and \`*.yml\` below the config folder are read; the folder layout has no meaning.`,
    links.join('\n'),
    'Parts of them: [stages](stages.md), and [durations, sizes and secrets](values.md).',
    'Their possible problems: [problem codes](problem-codes.md), and those of JSONata: [error codes of expressions](expression-errors.md).',
    '## Requests',
    '- [The body](request-body.md)\n- [Error codes](error-codes.md)',
    '## Commands',
    commandTable(),
    '`--help` prints the same for each of them. Exit codes are the same everywhere: 0 fine, 1 problems found, 2 wrong usage, 70 an internal error of Pullcord. Results go to stdout, messages to stderr. Colors are for terminals; `NO_COLOR` turns them off.',
    '## JSON outputs of commands',
    outputList(),
    '## Metrics',
    '- [Metrics of the admin listener](metrics.md)',
    '## Plugins and engines',
    pluginTable(),
    'What the `signature` plugin knows of senders: [signature schemes](signature-schemes.md).',
  );
}
