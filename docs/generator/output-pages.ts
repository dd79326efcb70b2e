import { outputSchemas } from '../../schemas/generator/output-schemas.ts';
import { memberTable } from './field-table.ts';
import { jsonBlock, page } from './markdown.ts';
import { type OutputName, outputExamples } from './output-examples.ts';

interface OutputEntry {
  readonly name: OutputName;
  /** The command whose page links to it. */
  readonly command: string;
  readonly title: string;
}

/** What commands print for programs, each with a page. */
const outputs: readonly OutputEntry[] = [
  { name: 'test-report', command: 'test', title: 'The JSON of `pullcord test`' },
  { name: 'explanation', command: 'explain', title: 'The JSON of `pullcord explain`' },
  { name: 'plan', command: 'plan', title: 'The JSON of `pullcord plan`' },
  { name: 'keys', command: 'keys list', title: 'The answer to `GET /keys`' },
  { name: 'limits', command: 'limits list', title: 'The answer to `GET /limits`' },
  { name: 'tailed-request', command: 'requests', title: 'The events of `GET /requests/tail`' },
  { name: 'history', command: 'status', title: 'The answer to `GET /history`' },
  { name: 'revisions', command: 'plan', title: 'The answer to `GET /revisions`' },
  { name: 'triggers', command: 'validate', title: 'The answer to `GET /triggers`' },
  { name: 'filter-trial', command: 'test', title: 'The answer to `POST /filters/try`' },
  { name: 'nodes', command: 'nodes', title: 'The JSON of `pullcord nodes`' },
  { name: 'audit-entry', command: 'audit', title: 'The lines of `pullcord audit export`' },
  { name: 'status', command: 'status', title: 'The JSON of `pullcord status`' },
  { name: 'run', command: 'runs', title: 'The JSON of `pullcord runs show`' },
  { name: 'run-count', command: 'runs', title: 'The answer to `GET /runs/count`' },
  { name: 'recorded-request', command: 'requests', title: 'The lines of `pullcord requests export`' },
];

/** The pages of all outputs, by their file names in docs/reference/. */
export async function outputPages(): Promise<[string, string][]> {
  const examples = await outputExamples();
  return outputs.map((output) => [fileOf(output), outputPage(output, examples[output.name])]);
}

/** What the page of a command says of its output, as paragraphs; none where that is for people alone. */
export function outputLinks(command: string, root: string): string[] {
  return outputs
    .filter((output) => output.command === command)
    .map((output) => `For programs: [${output.title}](${root}${fileOf(output)}).`);
}

/** A list of all outputs, with links. */
export function outputList(): string {
  return outputs.map((output) => `- [${output.title}](${fileOf(output)})`).join('\n');
}

function fileOf({ name }: OutputEntry): string {
  return `${name}.md`;
}

function outputPage({ name, title }: OutputEntry, example: object): string {
  const { schema } = outputSchemas[name];
  return page(
    `schemas/source/${name}.schema.json`,
    `# ${title}`,
    schema.description,
    `The JSON Schema of it is \`schemas/${name}.schema.json\` in the package.`,
    '## Example',
    jsonBlock(example),
    '## Members',
    memberTable(schema),
  );
}
