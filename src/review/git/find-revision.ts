import { GitBaseError, git } from './run-git.ts';

/** Returns the commit that a revision names. Throws a GitBaseError that says how to get it. */
export async function commitOf(top: string, revision: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  try {
    return await git(top, args);
  } catch (error) {
    // It is quiet about a revision that does not exist, and about nothing else.
    if (!(error instanceof GitBaseError) || error.message !== 'git failed') throw error;
  }
  const hint = await fetchHint(top, revision);
  throw new GitBaseError(`${revision} is neither a folder nor a revision of this git repository${hint}`, {
    isUnknown: true,
  });
}

/** How to fetch a revision that a shallow clone does not have, in a form that works as it is. */
async function fetchHint(top: string, revision: string): Promise<string> {
  const remotes = (await git(top, ['remote']).catch(() => '')).split('\n').filter((name) => name !== '');
  const remote = remotes.includes('origin') ? 'origin' : remotes[0];
  if (remote === undefined || /^-|\s/.test(revision)) return '';
  // An ancestor: only history is missing.
  if (/[~^@:]/.test(revision)) return `; in a shallow clone, fetch it first: git fetch --unshallow ${remote}`;
  if (/^[0-9a-f]{40,64}$/i.test(revision))
    return `; in a shallow clone, fetch it first: git fetch ${remote} ${revision}`;
  const name = revision.startsWith(`${remote}/`) ? revision.slice(remote.length + 1) : revision;
  // Fetching a name creates no branch of that name here, only FETCH_HEAD.
  return `; in a shallow clone, fetch it and compare with what was fetched: git fetch ${remote} ${name}, then --base FETCH_HEAD`;
}
