import { destination, pino, stdSerializers } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { PluginLog } from '../contract/index.ts';
import { redactLine, redactSecrets } from './redact.ts';

/** Lines are written in blocks, since a system call for each would cost more than the request; this often at least. */
const flushEveryMs = 100;
const blockLength = 64_000;
/** Beyond this, lines are dropped while nothing reads the stream (backpressure). */
const mostHeldBytes = 64 * 1024 * 1024;

export interface Log extends PluginLog {
  fatal(fields: object, message: string): void;
  /** Writes the lines that are still buffered. */
  close(): void;
}

/** The gateway's log: JSON lines on stderr, or readable lines if that is a terminal. */
export function createLog(): Log {
  const level = process.env.PULLCORD_LOG_LEVEL ?? 'info';
  const options = {
    level,
    base: null,
    formatters: { log: redactLine },
    serializers: { err: (error: Error) => redactSecrets(stdSerializers.err(error)) },
  };
  if (process.stderr.isTTY) {
    const pretty = PinoPretty({ destination: 2, sync: true, ignore: 'pid,hostname', colorize: !process.env.NO_COLOR });
    return Object.assign(pino(options, pretty), { close() {} });
  }
  const lines = new Lines(destination({ dest: 2, sync: false, minLength: 0, maxLength: mostHeldBytes }));
  return Object.assign(pino(options, lines), { close: () => lines.close() });
}

/** Gathers lines into blocks, for less than the stream's own accounting of each line would cost. */
class Lines {
  readonly #stream: ReturnType<typeof destination>;
  readonly #flushing: NodeJS.Timeout;
  #held = '';

  constructor(stream: ReturnType<typeof destination>) {
    this.#stream = stream;
    this.#flushing = setInterval(() => this.#flush(), flushEveryMs).unref();
  }

  write(line: string): void {
    this.#held += line;
    if (this.#held.length >= blockLength) this.#flush();
  }

  close(): void {
    clearInterval(this.#flushing);
    this.#flush();
    this.#stream.flushSync();
  }

  #flush(): void {
    if (this.#held === '') return;
    this.#stream.write(this.#held);
    this.#held = '';
  }
}
