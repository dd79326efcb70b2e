import { open, stat } from 'node:fs/promises';

/** https://www.sqlite.org/fileformat.html#magic_header_string */
const header = 'SQLite format 3\0';

/** Whether a path leads to a SQLite database. Opens regular files only: reading a pipe would consume it. */
export async function isDatabase(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return false;
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(header.length), 0, header.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === header;
  } finally {
    await file.close();
  }
}
