/**
 * Whether a gateway with a small heap survives slow runs of bodies that take many times their bytes: 239 of 1 MiB with
 * `--max-old-space-size=384 --max-semi-space-size=16`. `node bench/hostile-bodies.ts` prints how they were answered and the peak of resident memory.
 * Exits 1 if nothing was answered after them, or the peak is 512 MiB or more.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { floodRuns } from '../test/support/memory-flood.ts';

const mebibyte = 1024 * 1024;

const root = await mkdtemp(join(tmpdir(), 'pullcord-bodies-'));
try {
  const result = await floodRuns({ root, heapMb: 384, requests: 239, bodyBytes: mebibyte });
  console.log({ ...result, peakMiB: Math.round(result.peakBytes / mebibyte) });
  if (result.beside !== 200 || result.after !== 202 || result.peakBytes >= 512 * mebibyte) process.exitCode = 1;
} finally {
  await rm(root, { recursive: true, force: true });
}
