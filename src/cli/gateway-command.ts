import { type Command, type CommandOptions, Option } from 'commander';
import { configOption } from './config-option.ts';
import { type HelpText, helpText } from './help-text.ts';
import { terminal } from './terminal.ts';

/** The common meaning of exit code 1 of these commands. */
export const noAccess = 'neither the gateway nor its journal is reachable';

export const tokenMeaning = 'a token of the admin listener; without it, `admin.token` of the config is sent';

export type GatewayCommandTexts = readonly [name: string, summary: string, description: string, text: HelpText];

/** Adds a command that works on a running gateway, or on the journal of one that is not running. */
export function gatewayCommand(
  parent: Command,
  [name, summary, description, text]: GatewayCommandTexts,
  options: CommandOptions = {},
): Command {
  return parent
    .command(name, options)
    .summary(summary)
    .description(description)
    .addHelpText('after', helpText({ environment: { PULLCORD_ADMIN_TOKEN: tokenMeaning }, ...text }))
    .option('--admin-url <url>', 'URL of the admin listener; by default from the config')
    .addOption(configOption());
}

export interface FormatOptions {
  readonly format: 'table' | 'json';
  readonly json?: boolean;
}

/** Adds the options for formats to a list. */
export function withFormats(list: Command): Command {
  return list
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--json', 'short for --format json');
}

/** Adds the options for pages and formats to a list. */
export function withPages(list: Command, item: string): Command {
  return withFormats(
    list
      .option('--limit <count>', 'maximum number of results', '50')
      .option('--after <id>', `results after this ${item}: the next page`),
  );
}

export interface PrintedPage {
  /** What the list is called in JSON. */
  readonly name: string;
  readonly items: readonly unknown[];
  readonly next: string | undefined;
  readonly table: () => string;
  /** Printed instead of an empty table. */
  readonly none: string;
}

/** Prints a page of a list in the requested format, and how to get the next. */
export function printPage({ format, json }: FormatOptions, { name, items, next, table, none }: PrintedPage): void {
  if (json || format === 'json') terminal.data(JSON.stringify({ [name]: items, next: next ?? null }, undefined, 2));
  else if (items.length > 0) terminal.data(table());
  else terminal.words(none);
  if (next !== undefined) terminal.words(`more results: --after ${next}`);
}
