import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RecordedRequest } from '../engine/types/index.ts';
import type { PlannedTexts, TextState } from './plan-of-texts.ts';

/** How long a plan may take, in milliseconds, and how much memory its thread may have, in MiB. */
const most = { ms: 30_000, heap: 512 };

/** As `planOfTexts`, in a thread that is ended when it takes too long, over a folder that only this user can read. */
export async function planInThread(
  base: TextState,
  head: TextState,
  recorded: readonly RecordedRequest[],
): Promise<PlannedTexts> {
  // A thread that is ended removes nothing.
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-plan-'));
  try {
    return await planInFolder(folder, { base, head, recorded });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function planInFolder(folder: string, states: object): Promise<PlannedTexts> {
  const { PATH, TMPDIR } = process.env;
  // In a checkout the thread is TypeScript like this file; in the package both are JavaScript.
  const worker = new Worker(new URL(`./plan-thread${extname(import.meta.filename)}`, import.meta.url), {
    workerData: { folder, ...states },
    // No plan needs the secrets of the gateway.
    env: { PATH, ...(TMPDIR !== undefined && { TMPDIR }) },
    resourceLimits: { maxOldGenerationSizeMb: most.heap },
  });
  const timeout = AbortSignal.timeout(most.ms);
  try {
    const [planned] = await once(worker, 'message', { signal: timeout });
    return planned as PlannedTexts;
  } catch (error) {
    if (timeout.aborted) return { ok: false, reason: `The plan took longer than ${most.ms / 1000} s.` };
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await worker.terminate();
  }
}
