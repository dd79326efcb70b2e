import { hash } from 'node:crypto';

/** The files of a config with so many triggers in ten projects, each with filters of its own, as paths and texts. */
export function largeConfigFiles(triggerCount: number): Record<string, string> {
  const files: Record<string, string> = {
    'gateway.yaml': [
      'version: 1',
      'kind: Gateway',
      'organization: large',
      'server: { port: 0 }',
      'admin: { port: 0 }',
      '',
    ].join('\n'),
    'keys/website.yaml': [
      'version: 1',
      'kind: ApiKey',
      'id: website',
      'secrets:',
      `  - { hash: "sha256:${hash('sha256', 'pc_the_secret_of_the_large_config')}" }`,
      'permissions: [project.trigger]',
      'projects: ["*"]',
      '',
    ].join('\n'),
  };
  for (let index = 0; index < 10; index += 1) {
    files[`projects/p${index}/project.yaml`] =
      `version: 1\nkind: Project\nid: p${index}\nname: Project ${index}\nlanguage: en\n`;
  }
  for (let index = 0; index < triggerCount; index += 1) files[largeTriggerPath(index)] = largeTrigger(index);
  return files;
}

export function largeTriggerPath(index: number): string {
  return `projects/p${index % 10}/triggers/trigger-${index}.yaml`;
}

/** @param threshold what an edit may change */
export function largeTrigger(index: number, threshold = index): string {
  return `# yaml-language-server: $schema=../../../../schemas/trigger.schema.json
version: 1
kind: Trigger
project: p${index % 10}
name: Trigger ${index}
key: trigger-${index}
filter:
  - name: paying customers
    uses: jsonata
    with: { expression: 'customer.plan in ["pro", "enterprise"]' }
  - name: worth an agent
    uses: jsonata
    with: { expression: '$sum(order.lines.(quantity * price)) > ${threshold}' }
dedup: { uses: body, with: { window: 24h } }
run: { uses: echo }
respond: { uses: wait, with: { timeout: 30s } }
tests:
  - name: a pro customer asks for a refund
    body: { instruction: refund order ${index}, customer: { plan: pro }, order: { lines: [{ quantity: 1, price: 2000000 }] } }
    expect: { verdict: accepted }
`;
}

/** Of a tenth of the triggers, another threshold. */
export function largeConfigEdit(triggerCount: number): Record<string, string> {
  const edited = Array.from({ length: triggerCount / 10 }, (_, index) => index * 10);
  return Object.fromEntries(edited.map((index) => [largeTriggerPath(index), largeTrigger(index, index + 50)]));
}

/** Of each trigger some that pass, some that the change drops, some that another filter drops, and duplicates. */
export function largeRequests(triggers: number, count: number): string {
  const startsAt = Date.UTC(2026, 10, 1);
  const lines = Array.from({ length: count }, (_, index) => {
    const trigger = index % triggers;
    const round = Math.floor(index / triggers);
    const body = {
      instruction: `refund order ${round % 8}`,
      customer: { id: `c-${index}`, plan: round % 3 === 0 ? 'free' : 'pro', email: 'ada@example.org' },
      order: { lines: [{ quantity: 1, price: trigger + (round % 5) * 20 }] },
    };
    return JSON.stringify({
      id: `request-${index}`,
      receivedAt: new Date(startsAt + index * 1000).toISOString(),
      project: `p${trigger % 10}`,
      trigger: `trigger-${trigger}`,
      key: 'website',
      body,
    });
  });
  return `${lines.join('\n')}\n`;
}
