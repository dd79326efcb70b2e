import type { PluginLog } from '../../src/contract/index.ts';

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** A log that adds what is logged to `lines`. */
export function recordingLog(lines: LogLine[] = []): PluginLog {
  const record = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { info: record('info'), warn: record('warn'), error: record('error') };
}
