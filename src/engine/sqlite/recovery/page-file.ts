import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { walFrames } from './wal-frames.ts';

/** Of every journal that Pullcord has created. */
const defaultPageSize = 4096;

/** The pages of a journal as the last commit left them, read without SQLite, which refuses a damaged file. */
export class PageFile {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly #file: number;
  readonly #wal: Buffer;
  readonly #frames: ReadonlyMap<number, number>;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.pageSize = this.#readPageSize();
    this.#wal = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0);
    this.#frames = walFrames(this.#wal, this.pageSize);
    const inFile = Math.floor(fstatSync(this.#file).size / this.pageSize);
    this.pageCount = Math.max(inFile, ...this.#frames.keys());
  }

  /** A page, counted from 1; undefined if the file ends before it. */
  read(page: number): Buffer | undefined {
    if (!(Number.isInteger(page) && page >= 1 && page <= this.pageCount)) return undefined;
    const offset = this.#frames.get(page);
    if (offset !== undefined) return this.#wal.subarray(offset, offset + this.pageSize);
    const buffer = Buffer.alloc(this.pageSize);
    const length = readSync(this.#file, buffer, 0, this.pageSize, (page - 1) * this.pageSize);
    return length === this.pageSize ? buffer : undefined;
  }

  close(): void {
    closeSync(this.#file);
  }

  #readPageSize(): number {
    const header = Buffer.alloc(20);
    readSync(this.#file, header, 0, header.length, 0);
    const isHeader = header.toString('latin1', 0, 16) === 'SQLite format 3\0';
    const size = header.readUInt16BE(16);
    return isHeader && size >= 512 && (size & (size - 1)) === 0 ? size : defaultPageSize;
  }
}
