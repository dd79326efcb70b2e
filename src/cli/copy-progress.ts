import type { CopyProgress } from '../engine/copy/copy-store.ts';

/** How often a line is printed, in milliseconds: on a terminal, which shows the last one, and elsewhere. */
const everyMs = { terminal: 100, log: 5000 };

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows how far a copy is: one line that changes on a terminal; lines elsewhere, one for each kind and more for large ones. */
export function copyProgress(output: Output, labelOf: (kind: CopyProgress['kind']) => string) {
  const isTerminal = output.isTTY === true;
  let printedAt = performance.now();
  let isLineOpen = false;
  const report = ({ kind, done, total, isComplete }: CopyProgress): void => {
    const waitMs = isTerminal ? everyMs.terminal : everyMs.log;
    if (done === 0 || (!isComplete && performance.now() - printedAt < waitMs)) return;
    printedAt = performance.now();
    const text = `${labelOf(kind)}: ${done} of ${total}`;
    output.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    isLineOpen = isTerminal;
  };
  return {
    report,
    end(): void {
      if (isLineOpen) output.write('\r\u001b[K');
      isLineOpen = false;
    },
  };
}
