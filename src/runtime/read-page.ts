/** How many items are read at a time where a store cannot select them all: they may be large. */
const readAtOnce = 200;
/** How many are read for one page: then it ends, and the next one continues there. */
const mostRead = 10_000;

export interface PageRequest<Item> {
  readonly limit: number;
  /** What the store does not select by; undefined: nothing. */
  readonly matches: ((item: Item) => boolean) | undefined;
}

export interface Page<Item> {
  readonly page: readonly Item[];
  /** The id to pass as `after` for the next page, if there may be one. */
  readonly next: string | undefined;
}

/**
 * Reads a page. Where items are filtered, it may be short, and even empty, although there is a next one.
 * @param read returns up to `limit` items that follow `last`, in their order; undefined: the first of the page
 */
export async function readPage<Item extends { readonly id: string }>(
  read: (last: Item | undefined, limit: number) => Promise<readonly Item[]>,
  { limit, matches }: PageRequest<Item>,
): Promise<Page<Item>> {
  if (matches === undefined) {
    // One more than is shown: if it is there, so is another page.
    const found = await read(undefined, limit + 1);
    const page = found.slice(0, limit);
    return { page, next: found.length > page.length ? page.at(-1)?.id : undefined };
  }
  const page: Item[] = [];
  let last: Item | undefined;
  for (let count = 0; count < mostRead; count += readAtOnce) {
    const found = await read(last, readAtOnce);
    for (const item of found) {
      if (matches(item)) {
        if (page.length === limit) return { page, next: last?.id };
        page.push(item);
      }
      last = item;
    }
    if (found.length < readAtOnce) return { page, next: undefined };
  }
  return { page, next: last?.id };
}
