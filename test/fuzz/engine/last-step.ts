import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const headerBytes = 16;

/** A step that a process is at. */
export interface Step {
  readonly count: number;
  readonly input: Buffer;
}

/**
 * Keeps the step that a process is at in a file, which outlives the process: its watcher sees that it hangs, and
 * which input ended it.
 */
export class LastStep {
  readonly #file: number;
  #buffer = Buffer.alloc(headerBytes + 4096);

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  /** One write, without a flush: it must survive the process, not the machine. */
  readonly write = (count: number, input: Buffer): void => {
    const length = headerBytes + input.length;
    if (length > this.#buffer.length) this.#buffer = Buffer.alloc(2 * length);
    this.#buffer.writeDoubleLE(count, 0);
    this.#buffer.writeDoubleLE(input.length, 8);
    input.copy(this.#buffer, headerBytes);
    writeSync(this.#file, this.#buffer, 0, length, 0);
  };

  close(): void {
    closeSync(this.#file);
  }
}

/** Undefined before the first step. */
export function readLastStep(path: string): Step | undefined {
  const bytes = readFileSync(path, { flag: 'a+' });
  if (bytes.length < headerBytes) return undefined;
  const length = bytes.readDoubleLE(8);
  return { count: bytes.readDoubleLE(0), input: bytes.subarray(headerBytes, headerBytes + length) };
}
