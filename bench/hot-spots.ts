// node bench/hot-spots.ts FILE.cpuprofile: where a profile's busy time goes, by package or folder, then by function.
import { readFileSync } from 'node:fs';

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

const shownFunctions = 40;
const idle = new Set(['(idle)', '(root)', '(program)']);

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('which profile?');
printShares(JSON.parse(readFileSync(path, 'utf8')));

function printShares({ nodes, samples, timeDeltas }: CpuProfile): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPlace = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || idle.has(frame.functionName)) continue;
    const time = timeDeltas[index] ?? 0;
    total += time;
    const name = `${frame.functionName || '(anonymous)'} ${fileOf(frame.url)}:${frame.lineNumber + 1}`;
    byFunction.set(name, (byFunction.get(name) ?? 0) + time);
    byPlace.set(placeOf(frame), (byPlace.get(placeOf(frame)) ?? 0) + time);
  }
  for (const table of [byPlace, byFunction]) {
    const largest = [...table].sort(([, a], [, b]) => b - a).slice(0, shownFunctions);
    for (const [name, time] of largest) console.log(`${((time / total) * 100).toFixed(1).padStart(5)}%  ${name}`);
    console.log();
  }
}

/** A package, a folder of ours, or a part of Node. */
function placeOf({ functionName, url }: CallFrame): string {
  if (url === '') return functionName === '(garbage collector)' ? functionName : '(native)';
  const file = fileOf(url);
  if (file.startsWith('node:')) return 'node';
  return /^(?:node_modules\/(?:@[^/]+\/)?[^/]+|src\/[^/]+|plugins\/[^/]+\/[^/]+)/.exec(file)?.[0] ?? file;
}

function fileOf(url: string): string {
  return url.replace(/^file:\/\//, '').replace(new URL('..', import.meta.url).pathname, '');
}
