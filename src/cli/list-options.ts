import { type Command, Option } from 'commander';
import type { ListFilter } from '../runtime/list-filter.ts';

/** The options by which every list of runs or recorded requests is filtered. */
export function withFilters(
  list: Command,
  { time, where }: { readonly time: string; readonly where: string },
): Command {
  return list
    .option('--trigger <key>', 'only of this trigger: key, or project/key')
    .option('--project <id>', 'only of this project')
    .option('--request <id>', 'only the one with this X-Request-Id')
    .addOption(new Option('--request-id <id>').hideHelp())
    .option('--since <time>', `only those ${time} since: 1h, or 2027-06-30T12:00:00Z`)
    .option('--older-than <age>', `only those ${time} at least this long ago: 2h`)
    .option('--newer-than <age>', `only those ${time} less than this long ago: 15m`)
    .addOption(whereOption(where));
}

export function whereOption(example: string): Option {
  return new Option('--where <conditions>', `only those that match: ${example}`);
}

interface Page<Item> {
  readonly ok: true;
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/**
 * Reads a page as long as was asked for: where conditions select few of many, a gateway answers with what it has found so far, and
 * where to continue.
 */
export async function wholePage<Item, Fault extends { readonly ok: false }>(
  read: (filter: Pick<ListFilter, 'after' | 'limit'>) => Promise<Page<Item> | Fault>,
  { after: first, limit = '50' }: Pick<ListFilter, 'after' | 'limit'>,
): Promise<Page<Item> | Fault> {
  const items: Item[] = [];
  let after = first;
  for (;;) {
    const rest = items.length === 0 ? limit : String(Number(limit) - items.length);
    const page = await read({ limit: rest, after });
    if (!page.ok) return page;
    items.push(...page.items);
    if (page.next === undefined || items.length >= Number(limit)) return { ok: true, items, next: page.next };
    after = page.next;
  }
}
