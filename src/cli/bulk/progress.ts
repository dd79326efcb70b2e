import { makePrintable } from '../../diagnostics/printable.ts';
import type { Outcome } from './bulk.ts';

/** How often a line is printed, in milliseconds: on a terminal, which shows the last one, and elsewhere. */
const everyMs = { terminal: 200, log: 5000 };

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows how far a bulk command is: one line that changes on a terminal; a line every few seconds elsewhere. */
export class BulkProgress {
  readonly #output: Output;
  readonly #total: number;
  readonly #startedAt = performance.now();
  #printedAt = performance.now();
  #isLineOpen = false;
  #count = 0;
  #skipped = 0;

  constructor(output: Output, total: number) {
    this.#output = output;
    this.#total = total;
  }

  finished({ kind }: Outcome): void {
    this.#count += 1;
    if (kind === 'skipped') this.#skipped += 1;
    const waitMs = this.#output.isTTY ? everyMs.terminal : everyMs.log;
    if (performance.now() - this.#printedAt < waitMs) return;
    this.#print(this.#line());
  }

  waiting(reason: string, forMs: number): void {
    this.#print(`${this.#line()}; waiting ${Math.ceil(forMs / 1000)}s: ${makePrintable(reason)}`);
  }

  end(): void {
    if (this.#isLineOpen) this.#output.write('\r\u001b[K');
    this.#isLineOpen = false;
  }

  #line(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const rate = this.#count / Math.max(seconds, 0.001);
    const left = rate === 0 ? '' : `, ${durationOf((this.#total - this.#count) / rate)} left`;
    const failures = this.#skipped === 0 ? '' : `, ${this.#skipped} not done`;
    return `${this.#count} of ${this.#total}${failures}, ${rate.toFixed(1)}/s${left}`;
  }

  #print(text: string): void {
    this.#printedAt = performance.now();
    this.#isLineOpen = this.#output.isTTY === true;
    this.#output.write(this.#isLineOpen ? `\r\u001b[K${text}` : `${text}\n`);
  }
}

/** Seconds in words: 45s, 12m, 3h 20m. */
export function durationOf(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.ceil(seconds)}s`;
  if (minutes < 90) return `${minutes}m`;
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
