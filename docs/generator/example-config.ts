import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RecordedRequest } from '../../src/engine/types/index.ts';

/** A small config before and after a change, from which the examples of what commands print are made. */
export interface ExampleConfig {
  readonly before: string;
  readonly after: string;
}

/** Writes both to folders that are there only while the work is done. */
export async function withExampleConfig<T>(work: (config: ExampleConfig) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-docs-'));
  try {
    const [before, after] = [join(folder, 'before/config'), join(folder, 'after/config')];
    await writeConfig(before, { projects: '[support]', plans: '= "pro"', total: '> 100' });
    await writeConfig(after, { projects: '["*"]', plans: 'in ["pro", "enterprise"]', total: '> 50' });
    return await work({ before, after });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A request that gets another verdict after the change. */
export const exampleRequest: RecordedRequest = {
  id: '01a21365-6bec-708d-a6d0-e9282018c56b',
  receivedAt: Date.parse('2027-06-30T12:00:00Z'),
  project: 'support',
  trigger: 'refund',
  caller: 'website',
  requestId: 'q9Zr3kVt-2s',
  ip: '203.0.113.7',
  headers: {},
  origin: { query: {}, event: {}, claims: {} },
  bodyText: '{"customer":{"plan":"enterprise","email":"***"}}',
  masked: ['/customer/email'],
  verdict: 'dropped',
  code: 'filtered',
  status: 400,
  by: 'paying customers',
  runId: undefined,
  revision: 'bb63df3c3cd5b9a10d5b1e8d9eb0c0ed3e1a4a86ef0c3cd93d1e6b6ac5ee2f1d',
  provenance: 'config/support/refund.yaml:7',
  details: { sampled: false, rate: 0, gitCommit: '8f0c2d4e6a1b3c5d7e9f0a2b4c6d8e0f1a3b5c7d', dirty: false },
};

interface Change {
  readonly projects: string;
  readonly plans: string;
  readonly total: string;
}

async function writeConfig(root: string, change: Change): Promise<void> {
  for (const [file, text] of Object.entries(filesOf(change))) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
}

function filesOf({ projects, plans, total }: Change): Readonly<Record<string, string>> {
  return {
    'gateway.yaml': 'version: 1\nkind: Gateway\norganization: acme\n',
    'keys/website.yaml': `version: 1
kind: ApiKey
id: website
secrets:
  - hash: sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b
permissions: [project.trigger]
projects: ${projects}
`,
    'support/project.yaml': 'version: 1\nkind: Project\nid: support\n',
    'support/refund.yaml': `version: 1
kind: Trigger
project: support
key: refund
filter:
  - name: paying customers
    uses: jsonata
    with: { expression: 'customer.plan ${plans}' }
run: { uses: echo }
tests:
  - name: a pro customer is accepted
    body: { customer: { plan: pro } }
    expect: { verdict: accepted }
`,
    'billing/project.yaml': 'version: 1\nkind: Project\nid: billing\n',
    'billing/invoice.yaml': `version: 1
kind: Trigger
project: billing
key: invoice
filter:
  - name: worth the work
    uses: jsonata
    with: { expression: 'total ${total}' }
run: { uses: echo }
tests:
  - name: a large invoice is accepted
    body: { total: 1000 }
    expect: { verdict: accepted }
  - name: a small one is dropped
    body: { total: 1 }
    expect: { verdict: dropped, by: worth the work }
`,
  };
}
