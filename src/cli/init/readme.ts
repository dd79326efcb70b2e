import type { CiService } from './ci-services.ts';
import type { NewFile, NewRepository } from './new-file.ts';
import { senderSteps } from './sender-files.ts';

/** What to do with the new repository, with requests that can be sent as they stand. */
export function readme(repository: NewRepository): NewFile {
  return {
    path: 'README.md',
    text: [
      opening(repository),
      tree(repository),
      running(repository),
      ...webhooks(repository),
      changing(repository),
      review[repository.ci],
      going(repository),
    ].join('\n'),
  };
}

function opening({ organization, version, packageSpec }: NewRepository): string {
  return `# Triggers of ${organization}

Who may call our AI agents, with what, and how often: YAML files that a Pullcord gateway serves. A change
is a pull request, a merge is a deployment.

## Commands

These were written by \`pullcord\` ${version}, which needs Node.js 22.22 or newer. \`pullcord --help\` lists what it can
do.

${installation(packageSpec)}
`;
}

function installation(packageSpec: string | undefined): string {
  if (packageSpec !== undefined) return `To install it: \`npm install --global "${packageSpec}"\``;
  return `Install it from where your organization keeps it: a tarball, a commit, or a package of its own registry. Do not install
it by its name from the public npm registry, where it is not published.`;
}

function tree({ project, apiKey, ci }: NewRepository): string {
  const files = [
    ['config/gateway.yaml', 'the gateway: where it listens, what it keeps'],
    [`config/keys/${apiKey.id}.yaml`, 'an API key: it contains only a hash'],
    [`config/projects/${project}/`, 'a project: its defaults, its triggers and their tests'],
    ['schemas/', 'for editors; `pullcord schema --out schemas` updates them'],
    ...(ci === 'github' ? [['.github/workflows/pullcord.yml', 'checks each pull request']] : []),
    ...(ci === 'gitlab' ? [['.gitlab-ci.yml', 'checks each merge request']] : []),
  ];
  return `## Files\n\n${files.map(([path, text]) => `- \`${path}\`: ${text}\n`).join('')}`;
}

function running({ project }: NewRepository): string {
  return `## Try it

\`\`\`sh
pullcord serve
\`\`\`

In a second terminal, with the secret that \`pullcord init\` printed:

\`\`\`sh
export PULLCORD_API_KEY=pc_…
curl http://127.0.0.1:8080/api/v1.0/project/${project}/trigger/hello \\
  -H "X-API-Key: $PULLCORD_API_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"instruction": "Say hello", "customer": {"email": "ada@example.com", "plan": "pro"}}'
\`\`\`

There is no agent yet: the answer, \`"status": "succeeded"\`, shows as \`output\` what one would receive. The same
without curl, and with a body that the filter drops:

\`\`\`sh
pullcord send ${project}/hello -d '{"instruction": "Say hello", "customer": {"plan": "free"}}'
\`\`\`
`;
}

function webhooks({ senders, project }: NewRepository): readonly string[] {
  if (senders.length === 0) return [];
  return ['## Webhooks\n', ...senders.map((sender) => senderSteps(sender, project))];
}

function changing({ project }: NewRepository): string {
  return `## Change it

Edit [hello.yaml](config/projects/${project}/triggers/hello.yaml): a running gateway applies a saved file at once, and
keeps serving the old config if the file is wrong.

\`\`\`sh
pullcord validate                 # problems, with file and line
pullcord test --min-coverage 100  # the tests of the triggers; every condition of a filter is seen true and false
pullcord plan --base main         # the effect of the change: on triggers, access, requests
\`\`\`
`;
}

const review: Readonly<Record<CiService, string>> = {
  github: `## Open a pull request

The workflow checks the config, runs the tests and comments with the effect of the change. Its line \`PULLCORD:\` says what it
installs. To block merging on failures, make the check \`pullcord\` required for the main branch.
`,
  gitlab: `## Open a merge request

The pipeline checks the config, runs the tests and keeps the plan as an artifact. Its line \`PULLCORD:\` says what it
installs. With a project access token (scope \`api\`) in the masked variable \`PULLCORD_GITLAB_TOKEN\` it also puts the plan
into a note. To block merging on failures, let merge requests require a pipeline that succeeds.
`,
  none: `## Review changes

Let your CI run \`pullcord validate\` and \`pullcord test\`, and show the reviewers \`pullcord plan --base main\`.
`,
};

function going({ project, apiKey }: NewRepository): string {
  return `## Go on

- Call your agent: \`run: { uses: http, with: { url: … } }\` in
  [project.yaml](config/projects/${project}/project.yaml) or in a trigger.
- Another caller: \`pullcord keys create NAME --projects ${project} --write\`. If the secret of \`${apiKey.id}\` is lost:
  \`pullcord keys rotate ${apiKey.id}\`, and remove the lost one from its file.
- What happened: \`pullcord runs list\`.
`;
}
