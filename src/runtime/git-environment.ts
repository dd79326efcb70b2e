/**
 * What git and the programs that it runs get of the gateway's environment. Nothing else: the filters of a repository, and
 * agents of triggers, could read secrets in the environment of git. Without `GIT_DIR` and the like, which git sets for its
 * hooks, it also finds the repository of the folder in which it runs, and no other.
 */
const neededNames = [
  'PATH',
  'HOME',
  'XDG_CONFIG_HOME',
  'TMPDIR',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
];

export function gitEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(neededNames.map((name) => [name, process.env[name]]));
}
