import type { PageFile } from './page-file.ts';
import { recordValues, type Value, varint } from './record.ts';

/** https://www.sqlite.org/fileformat.html#b_tree_pages */
const kinds = { indexInterior: 2, tableInterior: 5, indexLeaf: 10, tableLeaf: 13 };

export interface ReadPage {
  readonly isTable: boolean;
  readonly rows: readonly (readonly Value[])[];
  readonly children: readonly number[];
  /** Cells that cannot be read. */
  readonly lostCells: number;
}

/** Reads b-trees page by page, so that a damaged page loses its own rows, and hides those below it until `orphans`. */
export class BTrees {
  /** Pages that are not what their b-tree says. */
  readonly damagedPages = new Set<number>();
  lostCells = 0;
  readonly #file: PageFile;
  readonly #seen = new Set<number>();

  constructor(file: PageFile) {
    this.#file = file;
  }

  /** The rows of a table, or of an index. */
  *rows(root: number): Generator<readonly Value[]> {
    const pages = [root];
    for (let page = pages.pop(); page !== undefined; page = pages.pop()) {
      if (this.#seen.has(page)) continue;
      this.#seen.add(page);
      const read = this.#read(page);
      if (read === undefined) {
        this.damagedPages.add(page);
        continue;
      }
      this.lostCells += read.lostCells;
      pages.push(...read.children.toReversed());
      yield* read.rows;
    }
  }

  /** Pages that no longer need a look, because they hold nothing that is in use. */
  skipFreePages(): void {
    let trunk = this.#file.read(1)?.readUInt32BE(32) ?? 0;
    while (trunk !== 0 && !this.#seen.has(trunk)) {
      this.#seen.add(trunk);
      const page = this.#file.read(trunk);
      if (page === undefined) return;
      const count = Math.min(page.readUInt32BE(4), page.length / 4 - 2);
      for (let index = 0; index < count; index += 1) this.#seen.add(page.readUInt32BE(8 + 4 * index));
      trunk = page.readUInt32BE(0);
    }
  }

  /** What is on pages that no b-tree reaches any more. */
  *orphans(): Generator<ReadPage> {
    for (let page = 1; page <= this.#file.pageCount; page += 1) {
      if (this.#seen.has(page) || this.damagedPages.has(page)) continue;
      const read = this.#read(page);
      if (read === undefined) continue;
      this.lostCells += read.lostCells;
      yield read;
    }
  }

  /** Undefined if the page is not one of a b-tree. */
  #read(number: number): ReadPage | undefined {
    const page = this.#file.read(number);
    if (page === undefined) return undefined;
    const at = number === 1 ? 100 : 0;
    const kind = page.readUInt8(at);
    if (!Object.values(kinds).includes(kind)) return undefined;
    const isInterior = kind === kinds.indexInterior || kind === kinds.tableInterior;
    const isTable = kind === kinds.tableInterior || kind === kinds.tableLeaf;
    const pointers = at + (isInterior ? 12 : 8);
    const count = page.readUInt16BE(at + 3);
    if (pointers + 2 * count > page.length) return undefined;
    const rows: Value[][] = [];
    const children: number[] = [];
    let lostCells = 0;
    for (let index = 0; index < count; index += 1) {
      const cell = page.readUInt16BE(pointers + 2 * index);
      try {
        if (cell < pointers + 2 * count) throw new RangeError('a cell cannot be there');
        if (isInterior) children.push(page.readUInt32BE(cell));
        if (kind !== kinds.tableInterior) rows.push(this.#row(page, isInterior ? cell + 4 : cell, isTable));
      } catch {
        lostCells += 1;
      }
    }
    if (isInterior) children.push(page.readUInt32BE(at + 8));
    // Garbage may begin like a page; then hardly any of its cells can be read.
    if (count > 0 && lostCells === count) return undefined;
    return { isTable, rows, children, lostCells };
  }

  #row(page: Buffer, at: number, isTable: boolean): Value[] {
    const [size, afterSize] = varint(page, at);
    const begin = isTable ? varint(page, afterSize)[1] : afterSize;
    const usable = page.length;
    const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
    if (size < 1 || size > usable * this.#file.pageCount) throw new RangeError('a row cannot be that long');
    if (size <= most) {
      if (begin + size > usable) throw new RangeError('a row ends beyond its page');
      return recordValues(page.subarray(begin, begin + size));
    }
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const kept = least + ((size - least) % (usable - 4));
    const local = kept <= most ? kept : least;
    if (begin + local + 4 > usable) throw new RangeError('a row ends beyond its page');
    const parts = [page.subarray(begin, begin + local)];
    let missing = size - local;
    for (let next = page.readUInt32BE(begin + local); next !== 0 && missing > 0; ) {
      const overflow = this.#file.read(next);
      // The number of the next page begins with 0, unless the journal is huge: anything else is garbage.
      if (overflow === undefined || overflow.readUInt32BE(0) > this.#file.pageCount) break;
      this.#seen.add(next);
      parts.push(overflow.subarray(4, 4 + Math.min(missing, usable - 4)));
      missing -= Math.min(missing, usable - 4);
      next = overflow.readUInt32BE(0);
    }
    return recordValues(Buffer.concat(parts));
  }
}
