import { githubComment } from './github-comment.ts';
import { indent } from './indent.ts';
import { missingPackage, packageVariable } from './package-variable.ts';

/**
 * The workflow of a config repository. It installs a package instead of using an action, so that it works
 * wherever Pullcord itself is hosted. What a pull request brings is never put into a script, only into its environment.
 */
export function githubWorkflow(packageSpec: string | undefined): string {
  return `# Checks for each pull request whether the config is valid and the tests pass, and predicts what it will change.
name: Pullcord
on:
  pull_request:
permissions:
  contents: read
  pull-requests: write # to comment
concurrency:
  group: pullcord-${'$'}{{ github.ref }}
  cancel-in-progress: true
env:
  ${packageVariable(packageSpec)}
jobs:
  pullcord:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
        with:
          fetch-depth: 0 # the plan compares with the base
          persist-credentials: false
      - uses: actions/setup-node@v6
        with:
          node-version: 24
          package-manager-cache: false
      - name: Install
        id: install
        run: |
          [ -n "$PULLCORD" ] || { echo '::error title=Pullcord::${missingPackage}'; exit 1; }
          npm install --global "$PULLCORD"
      - name: Validate
        run: pullcord validate --format github
      - name: Test
        if: ${'$'}{{ !cancelled() && steps.install.outcome == 'success' }}
        run: pullcord test --format github
      - name: Plan
        id: plan
        if: ${'$'}{{ !cancelled() && steps.install.outcome == 'success' }}
        env:
          BASE: ${'$'}{{ github.event.pull_request.base.sha }}
          PLAN: ${'$'}{{ runner.temp }}/plan.md
        run: |
          pullcord plan --base "$BASE" --format markdown --out "$PLAN"
          pullcord plan --base "$BASE" --format github
          cat "$PLAN" >>"$GITHUB_STEP_SUMMARY"
      - name: Comment
        if: ${'$'}{{ !cancelled() && steps.plan.outcome == 'success' }}
        env:
          GH_TOKEN: ${'$'}{{ github.token }}
          GH_ENTERPRISE_TOKEN: ${'$'}{{ github.token }}
          PULL_REQUEST: ${'$'}{{ github.event.pull_request.number }}
          PLAN: ${'$'}{{ runner.temp }}/plan.md
        run: |
${indent(githubComment, 10)}`;
}
