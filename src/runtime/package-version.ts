import { readFileSync } from 'node:fs';

/** The version of this package. The package.json is one folder above `src`, and one more above `dist/src`. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'pullcord') return String(version);
    } catch {
      // The other layout then.
    }
  }
  return 'unknown';
}
