import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package and its version. The package.json is one folder above `src`, and one more above `dist/src`. */
function findPackage(): { readonly folder: string; readonly version: string } | undefined {
  for (const path of ['../../package.json', '../../../package.json']) {
    const url = new URL(path, import.meta.url);
    try {
      const { name, version } = JSON.parse(readFileSync(url, 'utf8'));
      if (name === 'pullcord') return { folder: dirname(fileURLToPath(url)), version: String(version) };
    } catch {
      // The other layout then.
    }
  }
  return undefined;
}

export function packageVersion(): string {
  return findPackage()?.version ?? 'unknown';
}

/** Undefined where the package was repackaged without its package.json. */
export function packageFolder(): string | undefined {
  return findPackage()?.folder;
}
