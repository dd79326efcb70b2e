import { type Command, Option } from 'commander';
import { configOption } from './config-option.ts';
import { adminTokenMeaning, type HelpText, helpText } from './help-text.ts';
import { terminal } from './terminal.ts';

/** What exit code 1 of these commands means, besides what is a command's own. */
export const noAccess = 'neither gateway nor journal can be reached';

export type GatewayCommandTexts = readonly [name: string, summary: string, description: string, text: HelpText];

/** Adds a command that works on a running gateway, or on the journal of one that is not running. */
export function gatewayCommand(parent: Command, [name, summary, description, text]: GatewayCommandTexts): Command {
  return parent
    .command(name)
    .summary(summary)
    .description(description)
    .addHelpText('after', helpText({ environment: { PULLCORD_ADMIN_TOKEN: adminTokenMeaning }, ...text }))
    .option('--admin-url <url>', 'URL of the admin listener; by default from the config')
    .addOption(configOption());
}

export interface PageOptions {
  readonly format: 'table' | 'json';
  readonly json?: boolean;
}

/** Gives a list its pages and its formats. */
export function withPages(list: Command, item: string): Command {
  return list
    .option('--limit <count>', 'at most so many', '50')
    .option('--after <id>', `those that follow this ${item}: the next page`)
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--json', 'short for --format json');
}

export interface PrintedPage {
  /** What the list is called in JSON. */
  readonly name: string;
  readonly items: readonly unknown[];
  readonly next: string | undefined;
  readonly table: () => string;
  /** What is said instead of a table of nothing. */
  readonly none: string;
}

/** Prints a page of a list as is asked, and how to get the next. */
export function printPage({ format, json }: PageOptions, { name, items, next, table, none }: PrintedPage): void {
  if (json || format === 'json') terminal.data(JSON.stringify({ [name]: items, next: next ?? null }, undefined, 2));
  else if (items.length > 0) terminal.data(table());
  else terminal.words(none);
  if (next !== undefined) terminal.words(`there are more: --after ${next}`);
}
