import type { Sender } from './sender.ts';

/** https://docs.github.com/webhooks/webhook-events-and-payloads#issues */
export const github: Sender = {
  name: 'github',
  title: 'GitHub',
  secretVariable: 'GITHUB_WEBHOOK_SECRET',
  setUp:
    'In the settings of a repository or an organization, add a webhook: this URL, the content type `application/json`, a ' +
    'secret of your own, and only the event *Issues*.',
  tryWith: `--event issues -d '{"action":"opened","issue":{"number":7,"title":"It hangs"},"sender":{"login":"ada","type":"User"}}'`,
  trigger: `key: github
name: GitHub issues
auth: { uses: signature, with: { scheme: github, secrets: [{ env: GITHUB_WEBHOOK_SECRET }] } }
# A form, GitHub's default, would hold the event in its field \`payload\`: it is answered 415.
body: { accept: [json] }
filter:
  - name: an issue is opened
    uses: jsonata
    with: { expression: '$event.name = "issues" and action = "opened"' }
  - name: by a person
    uses: jsonata
    with: { expression: 'sender.type = "User"' }
# A delivery that is sent again has the same body.
dedup: { uses: body, with: { window: 7d } }
# GitHub waits ten seconds, and shows any other answer than a 2xx as a failed delivery.
respond: { uses: accepted, with: { dropped: { status: 204 }, duplicate: { status: 200 } } }
tests:
  - name: a person opens an issue
    headers: { x-github-event: issues }
    body:
      action: opened
      issue: { id: 1, number: 7, title: It hangs, body: After an hour., user: { login: ada } }
      repository: { full_name: acme/shop, private: true }
      sender: { login: ada, id: 2, type: User }
    expect: { verdict: accepted }
  - name: the delivery that is sent again is a duplicate
    headers: { x-github-event: issues }
    body: { action: opened, issue: { number: 7 }, sender: { login: ada, type: User } }
    expect: { verdict: duplicate, status: 200 }
  - name: a bot opens an issue
    headers: { x-github-event: issues }
    body: { action: opened, issue: { number: 8 }, sender: { login: "renovate[bot]", type: Bot } }
    expect: { verdict: dropped, by: by a person, status: 204 }
  - name: an issue is closed
    headers: { x-github-event: issues }
    body: { action: closed, issue: { number: 7 }, sender: { login: ada, type: User } }
    expect: { verdict: dropped, by: an issue is opened }
  - name: another event
    headers: { x-github-event: star }
    body: { action: created, sender: { login: ada, type: User } }
    expect: { verdict: dropped, by: an issue is opened }
`,
};
