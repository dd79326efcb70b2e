import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RecordedRequest } from '../engine/types/index.ts';
import { formatPlan, runPlan } from './plan/result.ts';

/** A state of a config: the texts of its files by their paths below the config folder. */
export interface TextState {
  readonly label: string;
  readonly files: ReadonlyMap<string, string>;
}

export type PlannedTexts =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Compares two states of a config, as `pullcord plan` does, as JSON. They are written into a folder, which its owner removes. What they
 * name by path outside of the config folder is not there, and is reported as such.
 */
export async function planOfTexts(
  folder: string,
  base: TextState,
  head: TextState,
  recorded: readonly RecordedRequest[],
): Promise<PlannedTexts> {
  const [before, after] = [join(folder, 'base'), join(folder, 'head')];
  await write(before, base.files);
  await write(after, head.files);
  const requests = recorded.map((request) => ({ ...request, ...request.details }));
  const now = Math.max(Date.now(), requests.at(-1)?.receivedAt ?? 0);
  const planned = await runPlan({
    base: { root: before, label: base.label, shownAs: 'config' },
    head: { root: after, label: head.label },
    ...{ requests, showBodies: false, now },
  });
  if (!planned.ok) return { ok: false, reason: planned.problems[0]?.message ?? 'the config cannot be opened' };
  const json = await formatPlan(planned.plan, planned.sources, { format: 'json' });
  return { ok: true, json: json.replaceAll(after, 'config').replaceAll(before, 'config') };
}

async function write(root: string, files: TextState['files']): Promise<void> {
  for (const [path, text] of files) {
    if (path.startsWith('..')) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o600 });
  }
}
