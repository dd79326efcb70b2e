const millisecondsPerUnit: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const bytesPerUnit: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
]);

/** Returns the milliseconds of a duration such as `30s`, or undefined if it is invalid. */
export function parseDuration(text: string): number | undefined {
  return parse(text, millisecondsPerUnit);
}

/** Milliseconds as they are written in YAML: the largest unit that keeps them whole. */
export function writeDuration(ms: number): string {
  const [unit, length] = [...millisecondsPerUnit].reverse().find(([, one]) => ms !== 0 && ms % one === 0) ?? [
    's',
    1000,
  ];
  return `${ms / length}${unit}`;
}

/** Returns the bytes of a size such as `64KiB`, or undefined if it is invalid. */
export function parseSize(text: string): number | undefined {
  return parse(text, bytesPerUnit);
}

function parse(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^(0|[1-9][0-9]{0,8})([A-Za-z]+)$/.exec(text);
  const factor = units.get(match?.[2] ?? '');
  return factor === undefined ? undefined : Number(match?.[1]) * factor;
}

/** Bytes as they are written in YAML: the largest unit that keeps them whole. */
export function writeSize(bytes: number): string {
  const [unit, size] = [...bytesPerUnit].reverse().find(([, one]) => bytes !== 0 && bytes % one === 0) ?? ['B', 1];
  return `${bytes / size}${unit}`;
}
