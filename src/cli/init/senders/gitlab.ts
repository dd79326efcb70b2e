import type { Sender } from './sender.ts';

/** https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events */
export const gitlab: Sender = {
  name: 'gitlab',
  title: 'GitLab',
  secretVariable: 'GITLAB_WEBHOOK_SECRET',
  setUp:
    'In *Settings > Webhooks* of a project or group, add a webhook: this URL, a signing token or a secret token, and only ' +
    'the trigger *Merge request events*.',
  tryWith: `--event "Merge Request Hook" -d '{"object_kind":"merge_request","object_attributes":{"iid":7,"action":"open","draft":false}}'`,
  trigger: `key: gitlab
name: GitLab merge requests
auth: { uses: signature, with: { scheme: gitlab, secrets: [{ env: GITLAB_WEBHOOK_SECRET }] } }
filter:
  - name: a merge request is opened
    uses: jsonata
    with: { expression: '$event.name = "Merge Request Hook" and object_attributes.action = "open"' }
  - name: it is ready for review
    uses: jsonata
    with: { expression: '$not(object_attributes.draft)' }
dedup: { uses: body, with: { window: 7d } }
# GitLab disables a webhook after four failures in a row: an event that is dropped must not be one.
respond: { uses: accepted, with: { dropped: { status: 204 }, duplicate: { status: 200 } } }
tests:
  - name: a merge request is opened
    headers: { x-gitlab-event: Merge Request Hook }
    body:
      object_kind: merge_request
      event_type: merge_request
      user: { id: 1, username: ada }
      project: { id: 5, path_with_namespace: acme/shop, default_branch: main }
      object_attributes: { id: 99, iid: 7, title: Faster search, action: open, state: opened, draft: false }
      labels: []
    expect: { verdict: accepted }
  - name: a draft is opened
    headers: { x-gitlab-event: Merge Request Hook }
    body: { object_kind: merge_request, object_attributes: { iid: 8, action: open, draft: true } }
    expect: { verdict: dropped, by: it is ready for review, status: 204 }
  - name: a merge request is merged
    headers: { x-gitlab-event: Merge Request Hook }
    body: { object_kind: merge_request, object_attributes: { iid: 7, action: merge, draft: false } }
    expect: { verdict: dropped, by: a merge request is opened }
  - name: another event
    headers: { x-gitlab-event: Push Hook }
    body: { object_kind: push, ref: refs/heads/main }
    expect: { verdict: dropped, by: a merge request is opened }
`,
};
