/** Lines around a change. */
const context = 3;
const noFinalBreak = '\\ No newline at end of file';

/**
 * A unified diff of two texts that differ in one region, as `git apply` takes it; empty if they are equal.
 * @param path of the file, as the patch names it
 */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const [old, changed] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < Math.min(old.length, changed.length) && old[start] === changed[start]) start += 1;
  let end = 0;
  while (
    end < Math.min(old.length, changed.length) - start &&
    old[old.length - 1 - end] === changed[changed.length - 1 - end]
  ) {
    end += 1;
  }
  const first = Math.max(0, start - context);
  const last = Math.max(0, end - context);
  const hunk = [
    ...old.slice(first, start).map((line) => ` ${line}`),
    ...old.slice(start, old.length - end).map((line) => `-${line}`),
    ...changed.slice(start, changed.length - end).map((line) => `+${line}`),
    ...old.slice(old.length - end, old.length - last).map((line) => ` ${line}`),
  ];
  const range = (lines: readonly string[]) => `${first + 1},${lines.length - first - last}`;
  const head = [`--- a/${path}`, `+++ b/${path}`, `@@ -${range(old)} +${range(changed)} @@`];
  return `${[...head, ...hunk].join('\n')}\n`;
}

/** Without their line breaks; a last line that has none says so, as a patch does. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}\n${noFinalBreak}`];
}
