import type { Statements } from './statements.ts';

/** How many pages may still be written, and how many the journal may have at most. */
export function freePages(sql: Statements): { readonly free: number; readonly most: number } {
  const read = (name: string) => Number(sql.get(`PRAGMA ${name}`, [])?.[name]);
  const most = read('max_page_count');
  return { free: most - read('page_count') + read('freelist_count'), most };
}
