/** An entry of a commit: a file, a link or a submodule. */
export interface TreeEntry {
  readonly mode: string;
  /** Of its content, or the commit of a submodule. */
  readonly id: string;
  readonly path: string;
}

export const linkMode = '120000';
export const submoduleMode = '160000';

/** Reads what `git ls-tree -r -z` lists: `mode type id<TAB>path` for each entry. */
export function treeEntries(listing: string): readonly TreeEntry[] {
  return listing.split('\0').flatMap((line) => {
    const [, mode, id, path] = /^(\d+) \w+ ([0-9a-f]+)\t([\s\S]*)$/.exec(line) ?? [];
    return mode === undefined || id === undefined || path === undefined ? [] : [{ mode, id, path }];
  });
}
