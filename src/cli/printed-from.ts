import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageVersion } from '../runtime/package-version.ts';

/** What `formatProblems` cannot know: where the repository of the config begins, and which version prints. */
export function printedFrom(config: string): { readonly root: string | undefined; readonly version: string } {
  return { root: repositoryRoot(resolve(config)), version: packageVersion() };
}

/**
 * The nearest folder that git knows; the workspace of a GitHub Actions job that has the files without git. Git comes
 * first, for a job may check out more than one repository below its workspace.
 */
function repositoryRoot(folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    if (existsSync(join(above, '.git'))) return above;
    if (dirname(above) === above) return process.env.GITHUB_WORKSPACE || undefined;
  }
}
