import { Transform, type TransformCallback } from 'node:stream';
import { Parser, type Result } from 'tap-parser';
import { stringify } from 'yaml';

/** Per failure, so that a long diff does not push the other failures out of the last lines. */
const maxDiagnosticLines = 40;
/** How tap ran a file: the same for every file, and long. */
const spawnDetails = ['stdio', 'cwd', 'externalID', 'command', 'args', 'jobId'];
const uncaught = '# Uncaught: ';

interface Failure {
  readonly fullname: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** TAP with every failure repeated at the end: some CI systems keep only the last lines of a log. */
export class FailuresLast extends Transform {
  readonly #parser = new Parser();
  readonly #failures: Failure[] = [];
  /** The error that ended a file, as preload.mjs prints it: before the test that it left unfinished. */
  #uncaught = '';

  constructor() {
    super();
    this.#collect(this.#parser);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#parser.write(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.#parser.on('complete', () => done(null, summary(this.#failures)));
    this.#parser.end();
  }

  #collect(parser: Parser): void {
    parser.on('child', (child: Parser) => this.#collect(child));
    parser.on('comment', (line: string) => {
      if (line.startsWith(uncaught)) this.#uncaught += line.slice(uncaught.length);
    });
    parser.on('assert', (result: Result) => {
      if (result.ok || result.todo || result.skip || this.#isExplained(result)) return;
      const error = this.#uncaught ? { uncaught: this.#uncaught } : {};
      this.#failures.push({ fullname: result.fullname, details: { ...error, ...result.diag } });
      this.#uncaught = '';
    });
  }

  /** Whether a test failed only because of a failure inside it. */
  #isExplained({ closingTestPoint, fullname, diag }: Result): boolean {
    const hasFailureInside = this.#failures.some((failure) => failure.fullname.startsWith(`${fullname} > `));
    return closingTestPoint && hasFailureInside && !diag?.signal;
  }
}

function summary(failures: readonly Failure[]): string {
  if (failures.length === 0) return '';
  const names = failures.map(({ fullname }) => `  ${fullname}`);
  const lines = [...failures.flatMap(describe), `Failed: ${failures.length}`, ...names];
  return lines.map((line) => `${`# ${line}`.trimEnd()}\n`).join('');
}

function describe({ fullname, details }: Failure): readonly string[] {
  const own = Object.entries(details).filter(([name]) => !spawnDetails.includes(name));
  const lines = own.length > 0 ? stringify(Object.fromEntries(own)).trimEnd().split('\n') : [];
  const left = lines.length - maxDiagnosticLines;
  const shown = left > 0 ? [...lines.slice(0, maxDiagnosticLines), `… ${left} more lines`] : lines;
  return [`not ok: ${fullname}`, ...shown.map((line) => `  ${line}`), ''];
}
