import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Undefined: it is not smaller. */
  readonly gzipped: Buffer | undefined;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const compress = promisify(gzip);

/** The files of the built console, read once: they are few and small. */
export class ConsoleFiles {
  readonly #folder: string;
  #files: Promise<ReadonlyMap<string, ConsoleFile>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param path below the folder, such as `index.html`; undefined is returned for a file that the build did not make */
  async file(path: string): Promise<ConsoleFile | undefined> {
    this.#files ??= this.#read();
    const files = await this.#files;
    // It may be built while the gateway runs.
    if (files.size === 0) this.#files = undefined;
    return files.get(path);
  }

  async #read(): Promise<ReadonlyMap<string, ConsoleFile>> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile() && types[extname(entry.name)] !== undefined);
    return new Map(
      await Promise.all(
        files.map(async ({ parentPath, name }): Promise<[string, ConsoleFile]> => {
          const path = join(parentPath, name);
          const bytes = await readFile(path);
          const gzipped = await compress(bytes, { level: 9 });
          const below = path.slice(this.#folder.length + 1).replaceAll('\\', '/');
          const type = types[extname(name)] ?? 'application/octet-stream';
          return [below, { type, bytes, gzipped: gzipped.length < bytes.length ? gzipped : undefined }];
        }),
      ),
    );
  }
}
