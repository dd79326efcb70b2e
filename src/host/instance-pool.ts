import type { ApiKeyDeclaration, MaybePromise, OptionsFinding } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** A plugin instance that several snapshots may share, with its closers. */
export interface Instance {
  readonly value: unknown;
  /** Findings that the plugin reported on its options. */
  readonly findings: readonly OptionsFinding[];
  readonly closers: readonly (() => MaybePromise<void>)[];
  /** Creates it again for other API keys; undefined unless it is an auth plugin that has read them. */
  readonly withApiKeys?: (apiKeys: readonly ApiKeyDeclaration[]) => Promise<Created> | undefined;
}

export type Created =
  | { readonly ok: true; readonly instance: Instance }
  | { readonly ok: false; readonly findings: readonly Problem[] };

/**
 * Reference-counted instances by identity: a reload takes over those whose options did not change, and an instance is
 * closed when the last snapshot that holds it is disposed.
 */
export class InstancePool {
  readonly #entries = new Map<string, { instance: Instance; holders: number }>();
  readonly #onCloseError: (error: unknown) => void;

  constructor(onCloseError: (error: unknown) => void) {
    this.#onCloseError = onCloseError;
  }

  /** Takes a share in an instance of that identity, if there is one. */
  hold(identity: string): Instance | undefined {
    const entry = this.#entries.get(identity);
    if (entry === undefined) return undefined;
    entry.holders += 1;
    return entry.instance;
  }

  /** Adds a new instance with one share taken. */
  add(identity: string, instance: Instance): void {
    this.#entries.set(identity, { instance, holders: 1 });
  }

  /** Releases one share of each; instances without holders are closed, last created first. */
  async release(identities: readonly string[]): Promise<void> {
    const closing: Instance[] = [];
    for (const identity of identities.toReversed()) {
      const entry = this.#entries.get(identity);
      if (entry === undefined) continue;
      entry.holders -= 1;
      if (entry.holders > 0) continue;
      this.#entries.delete(identity);
      closing.push(entry.instance);
    }
    for (const instance of closing) await runClosers(instance.closers, this.#onCloseError);
  }
}

/** Runs closers, last registered first; a failing one does not stop the others. */
export async function runClosers(
  closers: readonly (() => MaybePromise<void>)[],
  onError: (error: unknown) => void,
): Promise<void> {
  for (const closer of closers.toReversed()) {
    try {
      await closer();
    } catch (error) {
      onError(error);
    }
  }
}
