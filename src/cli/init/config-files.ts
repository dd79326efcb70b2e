import { configScalar } from './config-scalar.ts';
import type { NewFile, NewRepository } from './new-file.ts';
import { senderFile } from './sender-files.ts';

/** What the gateway reads: one key, one project, and one trigger that shows filter, dedup and tests. */
export function configFiles(repository: NewRepository): readonly NewFile[] {
  const { apiKey, project, senders } = repository;
  const folder = `config/projects/${project}`;
  return [
    { path: 'config/gateway.yaml', text: gateway(repository) },
    { path: `config/keys/${apiKey.id}.yaml`, text: apiKey.yaml },
    projectFile(project),
    { path: `${folder}/triggers/hello.yaml`, text: trigger(repository) },
    { path: `${folder}/triggers/hello.test.yaml`, text: triggerTest(repository) },
    ...senders.map((sender) => senderFile(sender, project)),
  ];
}

function gateway({ organization }: NewRepository): string {
  return `# yaml-language-server: $schema=../schemas/gateway.schema.json
version: 1
kind: Gateway
organization: ${configScalar(organization)}
server: { host: 127.0.0.1, port: 8080 }
admin: { host: 127.0.0.1, port: 9090 } # health, metrics, runs: never on the public port
`;
}

/** A project whose runs are echoed until an agent is there. */
export function projectFile(project: string): NewFile {
  const text = `# yaml-language-server: $schema=../../../schemas/project.schema.json
version: 1
kind: Project
id: ${configScalar(project)}
defaults:
  # Answers with what an agent would be given. Yours is called by \`uses: http\` or \`uses: command\`.
  run: { uses: echo }
`;
  return { path: `config/projects/${project}/project.yaml`, text };
}

function trigger({ project, apiKey }: NewRepository): string {
  return `# yaml-language-server: $schema=../../../../schemas/trigger.schema.json
version: 1
kind: Trigger
project: ${configScalar(project)}
name: Hello
key: hello
filter:
  - name: known customers
    uses: jsonata
    with: { expression: '$exists(customer.email) and customer.plan in ["pro", "enterprise"]' }
dedup: { uses: body, with: { window: 1m } } # the same body within a minute is a duplicate
respond: { uses: wait, with: { timeout: 30s } }
tests:
  - name: a pro customer is answered
    key: ${configScalar(apiKey.id)}
    body: { instruction: Say hello, customer: { email: ada@example.com, plan: pro } }
    expect: { verdict: accepted, status: 200 }
  - name: a free customer is dropped
    body: { instruction: Say hello, customer: { email: ada@example.com, plan: free } }
    expect: { verdict: dropped, by: known customers }
  - name: somebody whom we cannot write to is dropped
    body: { instruction: Say hello, customer: { plan: pro } }
    expect: { verdict: dropped, by: known customers }
`;
}

function triggerTest({ project }: NewRepository): string {
  return `# yaml-language-server: $schema=../../../../schemas/trigger-test.schema.json
# Tests may stand beside their trigger, where they would make its own file too long.
version: 1
kind: TriggerTest
project: ${configScalar(project)}
trigger: hello
tests:
  - name: the same request half a minute later is a duplicate
    body: { instruction: Say hello, customer: { email: ada@example.com, plan: pro } }
    after: [{ clock: 2027-06-30T12:00:00Z }]
    clock: 2027-06-30T12:00:30Z
    expect: { verdict: duplicate, code: duplicate }
  - name: two minutes later it is taken again
    body: { instruction: Say hello, customer: { email: ada@example.com, plan: pro } }
    after: [{ clock: 2027-06-30T12:00:00Z }]
    clock: 2027-06-30T12:02:00Z
    expect: { verdict: accepted }
`;
}
