import { open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';

export const pageSize = 4096;

/** The root pages of all b-trees of a closed journal, by the name of their table or index. */
export function rootPages(path: string): ReadonlyMap<string, number> {
  using database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0').all();
  return new Map([
    ['sqlite_schema', 1],
    ...rows.map((row): [string, number] => [String(row.name), Number(row.rootpage)]),
  ]);
}

/** All pages of a b-tree of a closed journal, without overflow pages, the root first. */
export function pagesOf(path: string, name: string): number[] {
  using database = new DatabaseSync(path, { readOnly: true });
  const pages = database
    .prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype <> 'overflow' ORDER BY path")
    .all(name);
  return pages.map(({ pageno }) => Number(pageno));
}

/** Overwrites the beginning of a page, counted from 1, with garbage that is the same each time. */
export async function damagePage(path: string, page: number, bytes = pageSize): Promise<void> {
  const garbage = Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 37 + page * 11 + 201) % 256));
  const file = await open(path, 'r+');
  try {
    await file.write(garbage, 0, bytes, (page - 1) * pageSize);
  } finally {
    await file.close();
  }
}
