import { resolve } from 'node:path';
import type { StageUse } from '../../config/model.ts';
import type { JsonValue } from '../../contract/index.ts';
import { digestBytes, digestProgram } from './digest-file.ts';

/** A file that a config names by its path: a key, a program, a schema. */
export interface NamedFile {
  /** The option that names it; empty if it is named elsewhere. */
  readonly option: string;
  /** Its path as written. */
  readonly written: string;
  /** Undefined: there is no such file. A digest is compared, never shown: of a short secret it would reveal the secret. */
  readonly digest: string | undefined;
}

/** A longer text is not a path. */
const longestPath = 1024;

/** Digests the files that a config names; each file once. */
export class NamedFiles {
  readonly #known = new Map<string, Promise<string | undefined>>();
  readonly #isForeign: (path: string) => boolean;

  /** @param isForeign whether a file is not part of the config's state, but of the machine: it counts as missing */
  constructor(isForeign: (path: string) => boolean = () => false) {
    this.#isForeign = isForeign;
  }

  /** The files that the options of a plugin name: those of secrets, and every text that is the path of a file. */
  async ofUse({ with: options, folder }: StageUse): Promise<readonly NamedFile[]> {
    const { cwd } = options;
    const folders = typeof cwd === 'string' ? [folder, resolve(folder, cwd)] : [folder];
    const found: NamedFile[] = [];
    for (const [option, value] of Object.entries(options)) {
      for (const named of namesIn(value)) {
        if (named.isSecret) found.push({ ...(await this.ofSecret(named.written, folder)), option });
        else found.push(...(await this.#programs(option, named.written, folders)));
      }
    }
    return found;
  }

  async ofSecret(written: string, folder: string): Promise<NamedFile> {
    return { option: '', written, digest: await this.#digest(resolve(folder, written), digestBytes) };
  }

  async #programs(option: string, written: string, folders: readonly string[]): Promise<readonly NamedFile[]> {
    // `--schema=./order.json` names a file too.
    const paths = [written, ...(written.includes('=') ? [written.slice(written.indexOf('=') + 1)] : [])];
    for (const path of paths.flatMap((one) => (mayBePath(one) ? folders.map((folder) => resolve(folder, one)) : []))) {
      const digest = await this.#digest(path, digestProgram);
      if (digest !== undefined) return [{ option, written, digest }];
    }
    return [];
  }

  #digest(path: string, digest: (path: string) => Promise<string | undefined>): Promise<string | undefined> {
    const key = `${digest.name}\0${path}`;
    const known = this.#known.get(key) ?? (this.#isForeign(path) ? Promise.resolve(undefined) : digest(path));
    this.#known.set(key, known);
    return known;
  }
}

function mayBePath(text: string): boolean {
  return text !== '' && text.length <= longestPath && !/[\0\n]|:\/\//.test(text);
}

interface Name {
  readonly written: string;
  /** Whether it is the file of a secret, `{ file: PATH }`. */
  readonly isSecret: boolean;
}

function namesIn(value: JsonValue): readonly Name[] {
  if (typeof value === 'string') return [{ written: value, isSecret: false }];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item: JsonValue) => namesIn(item));
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === 'file' && typeof first[1] === 'string') {
    return [{ written: first[1], isSecret: true }];
  }
  return entries.flatMap(([, member]) => namesIn(member));
}

/** The files that both sides name alike, and that have other content. */
export function changedFiles(before: readonly NamedFile[], after: readonly NamedFile[]): readonly NamedFile[] {
  return after.filter((file) => {
    const old = before.find(({ option, written }) => option === file.option && written === file.written);
    return old !== undefined && old.digest !== file.digest;
  });
}
