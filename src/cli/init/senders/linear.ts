import type { Sender } from './sender.ts';

/** https://linear.app/developers/webhooks */
export const linear: Sender = {
  name: 'linear',
  title: 'Linear',
  secretVariable: 'LINEAR_WEBHOOK_SECRET',
  setUp: 'In *Settings > API*, create a webhook: this URL, and only *Issues*. The page shows its signing secret.',
  tryWith: `--event Issue -d '{"action":"create","type":"Issue","data":{"identifier":"ENG-7","title":"It hangs","priority":1}}'`,
  trigger: `key: linear
name: Linear issues
auth: { uses: signature, with: { scheme: linear, secrets: [{ env: LINEAR_WEBHOOK_SECRET }] } }
filter:
  - name: an issue is created
    uses: jsonata
    with: { expression: '$event.name = "Issue" and action = "create"' }
  - name: it is urgent
    uses: jsonata
    with: { expression: 'data.priority = 1' }
dedup: { uses: expression, with: { key: $event.id, window: 7d } }
# Linear waits five seconds, and disables a webhook that keeps failing.
respond: { uses: accepted, with: { dropped: { status: 204 }, duplicate: { status: 200 } } }
tests:
  - name: an urgent issue is created
    headers: { linear-event: Issue, linear-delivery: 234d1a4e-b617-4388-90fe-adc3633d6b72 }
    body:
      action: create
      type: Issue
      actor: { id: b5ea5f1f-8adc-4f52-b4bd-ab4e84cf51ba, type: user, name: Ada }
      createdAt: "2027-06-30T12:00:00.000Z"
      data: { id: 2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9, identifier: ENG-7, title: It hangs, priority: 1 }
      organizationId: 4c7a5f1f-8adc-4f52-b4bd-ab4e84cf51ba
      url: https://linear.app/acme/issue/ENG-7
      webhookTimestamp: 1782820800000
      webhookId: 000042e3-d123-4980-b49f-8e140eef9329
    expect: { verdict: accepted }
  - name: the delivery that is sent again is a duplicate
    headers: { linear-event: Issue, linear-delivery: 234d1a4e-b617-4388-90fe-adc3633d6b72 }
    body: { action: create, type: Issue, data: { identifier: ENG-7, priority: 1 } }
    expect: { verdict: duplicate, status: 200 }
  - name: an issue without hurry is created
    headers: { linear-event: Issue }
    body: { action: create, type: Issue, data: { identifier: ENG-8, priority: 4 } }
    expect: { verdict: dropped, by: it is urgent, status: 204 }
  - name: an issue is changed
    headers: { linear-event: Issue }
    body: { action: update, type: Issue, data: { identifier: ENG-7, priority: 1 } }
    expect: { verdict: dropped, by: an issue is created }
  - name: a comment is created
    headers: { linear-event: Comment }
    body: { action: create, type: Comment, data: { body: Me too } }
    expect: { verdict: dropped, by: an issue is created }
`,
};
