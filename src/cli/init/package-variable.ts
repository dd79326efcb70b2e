const choices = 'a tarball, git+https://… of a commit, or a package of your own registry';

/** The line of a workflow that says what its jobs install. */
export function packageVariable(spec: string | undefined): string {
  if (spec === undefined) return `PULLCORD: "" # set it to what npm shall install: ${choices}`;
  return `PULLCORD: ${JSON.stringify(spec)} # what npm installs: ${choices}`;
}

/** Why a job fails whose variable is empty: npm would take that for the folder it runs in. */
export const missingPackage = 'PULLCORD is empty: set it to the package that npm shall install';
