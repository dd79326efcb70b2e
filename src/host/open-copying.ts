import type { CopyOptions, CopySource, CopyTarget, EngineCopying } from '../engine/copy/copied-rows.ts';
import { CopyError } from '../engine/copy/copy-error.ts';
import { engines } from '../engine/index.ts';

/** Where a store is: the name of its engine, and a path or a URL. */
export interface StoreAddress {
  readonly engine: string;
  readonly address: string;
}

export interface OpenedCopying {
  readonly source: CopySource;
  readonly target: CopyTarget;
  close(): Promise<void>;
}

/** Opens two stores that no gateway uses. Rejects with an Error fit for users. */
export async function openCopying(from: StoreAddress, to: StoreAddress, options: CopyOptions): Promise<OpenedCopying> {
  const [source, target] = [copyingOf(from), copyingOf(to)];
  if (from.engine === to.engine) {
    throw new CopyError(
      `--from and --to are both stores of the ${from.engine} engine: copy these with the tools of its database`,
    );
  }
  if (options.schema !== undefined && !source.hasSchema && !target.hasSchema) {
    throw new CopyError('neither store is in a database with schemas: leave --schema out');
  }
  const openedSource = await source.openSource(from.address, options);
  try {
    const openedTarget = await target.openTarget(to.address, options);
    return {
      source: openedSource,
      target: openedTarget,
      async close() {
        await Promise.all([openedSource.close(), openedTarget.close()]);
      },
    };
  } catch (error) {
    await openedSource.close();
    throw error;
  }
}

/** The names of engines whose stores can be copied. */
function copyableEngines(): readonly string[] {
  return [...engines.values()].filter(({ copying }) => copying !== undefined).map(({ name }) => name);
}

function copyingOf({ engine }: StoreAddress): EngineCopying {
  const copying = engines.get(engine)?.copying;
  if (copying !== undefined) return copying;
  const known = engines.has(engine)
    ? `the ${engine} engine keeps data only in the gateway's process`
    : 'no such engine';
  throw new CopyError(`${known}: stores of ${copyableEngines().join(' and ')} can be copied`);
}
