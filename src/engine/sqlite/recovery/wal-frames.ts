/** https://www.sqlite.org/fileformat.html#the_write_ahead_log */
const headerSize = 32;
const frameHeaderSize = 24;
const magic = 0x377f0682;

/**
 * Where the write-ahead log has the latest version of each page, as offsets into it. As SQLite does, it takes the frames that
 * a commit follows, up to the first that is not whole.
 */
export function walFrames(wal: Buffer, pageSize: number): Map<number, number> {
  const pages = new Map<number, number>();
  if (wal.length < headerSize || (wal.readUInt32BE(0) & ~1) >>> 0 !== magic) return pages;
  if (wal.readUInt32BE(8) !== pageSize) return pages;
  const isBigEndian = (wal.readUInt32BE(0) & 1) === 1;
  const salts = wal.subarray(16, 24);
  let sums = checksum(wal.subarray(0, 24), [0, 0], isBigEndian);
  if (!areSums(wal, 24, sums)) return pages;
  let uncommitted: [number, number][] = [];
  for (let at = headerSize; at + frameHeaderSize + pageSize <= wal.length; at += frameHeaderSize + pageSize) {
    const content = at + frameHeaderSize;
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break;
    sums = checksum(wal.subarray(at, at + 8), sums, isBigEndian);
    sums = checksum(wal.subarray(content, content + pageSize), sums, isBigEndian);
    if (!areSums(wal, at + 16, sums)) break;
    uncommitted.push([wal.readUInt32BE(at), content]);
    if (wal.readUInt32BE(at + 4) === 0) continue;
    for (const [page, offset] of uncommitted) pages.set(page, offset);
    uncommitted = [];
  }
  return pages;
}

type Sums = readonly [number, number];

function areSums(wal: Buffer, at: number, [one, two]: Sums): boolean {
  return wal.readUInt32BE(at) === one && wal.readUInt32BE(at + 4) === two;
}

function checksum(bytes: Buffer, [first, second]: Sums, isBigEndian: boolean): Sums {
  const read = (at: number) => (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  let [one, two] = [first, second];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    one = (one + read(at) + two) >>> 0;
    two = (two + read(at + 4) + one) >>> 0;
  }
  return [one, two];
}
