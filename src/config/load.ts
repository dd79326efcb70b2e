import type { Problem } from '../diagnostics/problem.ts';
import type { SourceFile, Sources } from '../diagnostics/source.ts';
import { type CheckedFile, checkFile } from './check-file.ts';
import type { FileInConfig } from './link/document-set.ts';
import { link } from './link/link.ts';
import type { ApiKeyConfig, Config } from './model.ts';
import { Slices } from './slices.ts';
import { composeDocument } from './yaml/document.ts';
import { inFile } from './yaml/local-problem.ts';
import { type ConfigFile, type ConfigFiles, ConfigReader } from './yaml/read-files.ts';

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Warnings. */
      readonly problems: readonly Problem[];
      readonly apiKeys: readonly ApiKeyConfig[];
      readonly sources: Sources;
      readonly revision: string;
    }
  | {
      readonly ok: false;
      /** The valid part of the config, for finding further problems; undefined without a Gateway. */
      readonly partial: Config | undefined;
      /** Those that are declared by files without faults of their own. */
      readonly apiKeys: readonly ApiKeyConfig[];
      readonly problems: readonly Problem[];
      readonly sources: Sources;
      readonly revision: string;
    };

/** What one look at a config folder found. */
export interface Look {
  readonly files: ConfigFiles;
  readonly loaded: LoadedConfig;
}

/** Loads a config folder repeatedly: results for a file are cached while its bytes stay the same. */
export class ConfigLoader {
  readonly #root: string;
  readonly #reader: ConfigReader;
  #checkedByHash: ReadonlyMap<string, CheckedFile> = new Map();
  #last: LoadedConfig | undefined;
  #lastReadProblems = '';

  /** @param root the config folder, as the user gave it */
  constructor(root: string) {
    this.#root = root;
    this.#reader = new ConfigReader(root);
  }

  /** Reads all files and returns the config, or all of its problems. Never rejects. */
  async load(): Promise<LoadedConfig> {
    return (await this.look()).loaded;
  }

  /** The same, with the files. Somebody may be writing them: see `SettledLoader`. */
  async look(): Promise<Look> {
    const files = await this.#reader.read();
    const readProblems = JSON.stringify(files.problems);
    if (this.#last?.revision === files.revision && this.#lastReadProblems === readProblems) {
      return { files, loaded: this.#last };
    }
    const loaded = await this.#linked(files);
    this.#last = loaded;
    this.#lastReadProblems = readProblems;
    return { files, loaded };
  }

  async #linked({ files, problems: readProblems, revision }: ConfigFiles): Promise<LoadedConfig> {
    const checkedFiles = await this.#check(files);
    const sources = new Map(checkedFiles.map((file) => [file.file, sourceOf(file)]));
    const fileProblems = checkedFiles.flatMap(({ file, checked }) =>
      checked.problems.map((found) => inFile(found, file)),
    );
    const linked = await link(checkedFiles, {
      root: this.#root,
      revision,
      sources,
      // A file that could not be read may declare what others refer to.
      isComplete: readProblems.length === 0,
    });
    const problems = [...readProblems, ...fileProblems, ...linked.problems];
    const isFaulty = problems.some(({ severity }) => severity === 'error');
    if (isFaulty || linked.config === undefined) {
      return { ok: false, partial: linked.partial, apiKeys: linked.apiKeys, problems, sources, revision };
    }
    return { ok: true, config: linked.config, apiKeys: linked.apiKeys, problems, sources, revision };
  }

  async #check(files: readonly ConfigFile[]): Promise<readonly FileInConfig[]> {
    const kept = new Map<string, CheckedFile>();
    const slices = new Slices();
    const checkedFiles: FileInConfig[] = [];
    for (const { file, bytes, hash } of files) {
      const known = kept.get(hash) ?? this.#checkedByHash.get(hash);
      const checked = known ?? checkFile(bytes);
      kept.set(hash, checked);
      checkedFiles.push({ file, checked });
      const pause = known === undefined ? slices.next() : undefined;
      if (pause) await pause;
    }
    this.#checkedByHash = kept;
    return checkedFiles;
  }
}

/** Documents are many times larger than their text and needed only to print a problem, so they are composed again. */
function sourceOf({ file, checked }: FileInConfig): SourceFile {
  let document: SourceFile['document'];
  return {
    file,
    text: checked.text,
    get document() {
      if (checked.isYaml) document ??= composeDocument(checked.text);
      return document;
    },
  };
}
