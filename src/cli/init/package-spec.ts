import { UsageError } from '../terminal.ts';

/**
 * Whether the name `pullcord` on the npm registry is ours. Until then nothing may install it by that name: anyone can
 * register it, and their code would run on developers' machines and in CI.
 */
export const isPublished: boolean = false;

/** What the CI of a new repository installs by default; undefined: the user must name it. */
export function defaultPackage(version: string): string | undefined {
  return isPublished ? `pullcord@${version}` : undefined;
}

/** Returns what npm can install, else throws a UsageError. It becomes part of YAML and an argument of npm. */
export function checkedPackage(spec: string): string {
  if (!/^[\w@./~][\w@./~:+%#=&?^-]*$/.test(spec)) {
    throw new UsageError(
      `the package ${JSON.stringify(spec)} is not a tarball, a URL or a package that npm can install`,
    );
  }
  if (!isPublished && /^pullcord(@[^/:]*)?$/i.test(spec)) {
    throw new UsageError(
      `${spec} would be installed from the npm registry, where Pullcord is not published and anyone may take that name; ` +
        'name a tarball made by npm pack, git+https://… of a commit, or a package of your own scope',
    );
  }
  return spec;
}
