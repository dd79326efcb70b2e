import type { OpenConfig } from '../review/open-config.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { AccessError } from './access-error.ts';

/** The config on disk, which decides while no gateway serves. Opened when it is first asked. */
export class OpenedDecider {
  readonly #root: string;
  #opening: Promise<OpenConfig> | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  async snapshot(): Promise<Snapshot> {
    this.#opening ??= this.#open();
    return (await this.#opening).snapshot;
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.close();
  }

  async #open(): Promise<OpenConfig> {
    const { openConfig } = await import('../review/open-config.ts');
    const opened = await openConfig(this.#root);
    if (opened.ok) return opened;
    const messages = opened.problems.map(({ message }) => message).join('; ');
    throw new AccessError(`the config has problems: ${messages}`);
  }
}
