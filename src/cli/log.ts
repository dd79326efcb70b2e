import { destination, pino, stdSerializers } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { PluginLog } from '../contract/index.ts';
import { redactSecrets } from './redact.ts';

/** Lines are written in blocks, since a system call for each would cost more than the request; this often at least. */
const flushEveryMs = 100;
const blockBytes = 16_000;
/** More than this is thrown away when nobody takes what is written. */
const mostHeldBytes = 64 * 1024 * 1024;

export interface Log extends PluginLog {
  fatal(fields: object, message: string): void;
  /** Writes what is still held back. */
  close(): void;
}

/** The gateway's log: JSON lines on stderr, or readable lines if that is a terminal. */
export function createLog(): Log {
  const level = process.env.PULLCORD_LOG_LEVEL ?? 'info';
  const options = {
    level,
    base: null,
    formatters: { log: redactSecrets },
    serializers: { err: (error: Error) => redactSecrets(stdSerializers.err(error)) },
  };
  if (process.stderr.isTTY) {
    const pretty = PinoPretty({ destination: 2, sync: true, ignore: 'pid,hostname', colorize: !process.env.NO_COLOR });
    return Object.assign(pino(options, pretty), { close() {} });
  }
  const stream = destination({ dest: 2, sync: false, minLength: blockBytes, maxLength: mostHeldBytes });
  const flushing = setInterval(() => stream.flush(), flushEveryMs);
  flushing.unref();
  return Object.assign(pino(options, stream), {
    close() {
      clearInterval(flushing);
      stream.flushSync();
    },
  });
}
