/**
 * The shell script that puts a plan into a comment of a pull request; action.yml has the same. It wants the environment
 * of a GitHub Actions job, the token as `gh` does, the number PULL_REQUEST, and the file PLAN.
 *
 * The comment is found again by its first line and by its author: a comment that somebody else wrote with that line must
 * not be taken for it, since its author could change it at any time. Whatever fails only warns; the token of a pull
 * request from a fork may not write.
 */
export const githubComment = String.raw`export GH_HOST="${'$'}{GITHUB_SERVER_URL#*://}"
work=$(mktemp -d)
give_up() {
  echo "::warning title=Pullcord::The plan is in the job summary, but not in a comment: $(head -c 300 "$work/error" | tr '\r\n%' '   ')"
  exit 0
}
comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
gh api graphql -f query='{ viewer { login } }' >"$work/viewer.json" 2>"$work/error" || give_up
gh api --paginate --slurp "$comments?per_page=100" >"$work/comments.json" 2>"$work/error" || give_up
id=$(cd "$work" && node --eval '
  const { PLAN, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = process.env;
  const json = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
  const { login } = json("viewer.json").data.viewer;
  const plan = fs.readFileSync(PLAN, "utf8");
  const [marker] = plan.split("\n");
  const own = json("comments.json").flat().find(({ user, body }) =>
    user?.login === login && body.split(/\r?\n/, 1)[0] === marker);
  const run = [GITHUB_SERVER_URL, GITHUB_REPOSITORY, "actions/runs", GITHUB_RUN_ID].join("/");
  const note = "\n> [!NOTE]\n> Too long for a comment: all of it is in [the summary of the job](" + run + ").\n\n";
  const fits = plan.length < 65000;
  fs.writeFileSync("body.md", fits ? plan : plan.slice(0, plan.lastIndexOf("\n", 60000)).replace("\n", () => note));
  console.log(own?.id ?? "");
' 2>"$work/error") || give_up
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@"$work/body.md" 2>"$work/error" || give_up
else
  gh api --silent --method POST "$comments" -F body=@"$work/body.md" 2>"$work/error" || give_up
fi
`;
