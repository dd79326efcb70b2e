import type { Argument, Command, Option } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { helpSections, pairsOf } from './help-sections.ts';
import { page, sentence, table } from './markdown.ts';
import { outputLinks } from './output-pages.ts';

/** The commands that have a page each: those of the top level. */
const commands: readonly Command[] = createProgram(() => {}).commands;

/** The pages of all commands, by their file names in docs/reference/. */
export function commandPages(): [string, string][] {
  return commands.map((command) => [fileOf(command), commandPage(command)]);
}

/** A table of all commands, with links. */
export function commandTable(): string {
  const rows = commands.map((command) => [
    `[\`pullcord ${command.name()}\`](${fileOf(command)})`,
    sentence(command.summary()),
  ]);
  return table(['Command', 'What it does'], rows);
}

function fileOf(command: Command): string {
  return `commands/${command.name()}.md`;
}

function commandPage(command: Command): string {
  const isGroup = command.commands.length > 0;
  return page(
    'src/cli/',
    `# \`pullcord ${command.name()}\``,
    sentence(command.summary()),
    marked(command.description()),
    ...outputLinks(command.name(), '../'),
    ...(isGroup
      ? command.commands.flatMap((one) => [
          `## \`pullcord ${command.name()} ${one.name()}\``,
          marked(one.description()),
          ...useOf(one, '###'),
        ])
      : useOf(command, '##')),
  );
}

/** How a command is called, and how it ends. */
function useOf(command: Command, level: string): string[] {
  const sections = helpSections(command);
  const environment = pairsOf(sections.get('Environment'));
  const examples = sections.get('Examples') ?? [];
  return [
    shell([`${pathOf(command)} ${command.usage()}`]),
    ...(examples.length === 0 ? [] : [`${level} Examples`, shell(examples)]),
    `${level} Options`,
    optionTable(command),
    ...(environment.length === 0 ? [] : [`${level} Environment`, pairTable('Variable', environment)]),
    `${level} Exit codes`,
    pairTable('Code', exitCodesOf(pairsOf(sections.get('Exit codes')))),
  ];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function shell(lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
}

function pairTable(head: string, pairs: readonly (readonly [name: string, meaning: string])[]): string {
  return table(
    [head, 'Meaning'],
    pairs.map(([name, meaning]) => [`\`${name}\``, marked(sentence(meaning))]),
  );
}

/** What all commands have in common is not repeated on each page. */
function exitCodesOf(declared: readonly (readonly [code: string, meaning: string])[]) {
  const common = { 2: 'wrong usage', 70: 'an internal error of Pullcord' };
  return Object.entries({ ...common, ...Object.fromEntries(declared) });
}

/** Arguments and options; a column that none of them fills is left out. */
function optionTable(command: Command): string {
  const head = ['Option', 'Values', 'Default', 'Variable', 'Meaning'];
  const rows = [
    ...command.registeredArguments.map(argumentRow),
    ...command.options.filter(({ hidden }) => !hidden).map(optionRow),
  ];
  const isFilled = (column: number) => rows.some((row) => row[column] !== '');
  const filled = (row: readonly string[]) => row.filter((_, column) => isFilled(column));
  return table(filled(head), rows.map(filled));
}

function argumentRow(argument: Argument): string[] {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return [`\`${name}\``, choicesOf(argument), defaultOf(argument, argument.required), '', meaningOf(argument)];
}

function optionRow(option: Option): string[] {
  const variable = option.envVar === undefined ? '' : `\`${option.envVar}\``;
  return [`\`${option.flags}\``, choicesOf(option), defaultOf(option, option.mandatory), variable, meaningOf(option)];
}

function choicesOf({ argChoices = [] }: Argument | Option): string {
  return argChoices.map((choice) => `\`${choice}\``).join(', ');
}

/** A switch that is off, and a list that is empty, need no default. */
function defaultOf({ defaultValue, defaultValueDescription }: Argument | Option, isRequired: boolean): string {
  if (isRequired) return '_required_';
  if (defaultValueDescription === 'none') return '';
  const shown = defaultValueDescription ?? [defaultValue ?? []].flat().filter((one) => one !== false);
  const text = String(shown);
  return text === '' ? '' : `\`${text}\``;
}

function meaningOf({ description }: Argument | Option): string {
  return marked(sentence(description));
}

/** Marks literals in a text that was written for a terminal as code. */
function marked(text: string): string {
  return text.replace(/(?<![\w`])(--[a-z][a-z-]*(?: (?:[A-Z]+|json)\b)?|PULLCORD_[A-Z_]+|@FILE)/g, '`$1`');
}
