import type { Sender } from './sender.ts';

/** https://docs.slack.dev/reference/events/app_mention */
export const slack: Sender = {
  name: 'slack',
  title: 'Slack',
  secretVariable: 'SLACK_SIGNING_SECRET',
  setUp:
    'Start the gateway first: Slack tries the URL at once. Then, in *Event Subscriptions* of the app, enter this URL as the ' +
    'Request URL, and subscribe to the bot event `app_mention`. The secret is the *Signing Secret* under *Basic Information*.',
  tryWith: `-d '{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention","user":"U1","text":"<@U0> summarize","channel":"C1"}}'`,
  trigger: `key: slack
name: Slack mentions
auth: { uses: signature, with: { scheme: slack, secrets: [{ env: SLACK_SIGNING_SECRET }] } }
filter:
  - name: somebody mentions the app
    uses: jsonata
    with: { expression: 'event.type = "app_mention"' }
  - name: not the app itself
    uses: jsonata
    with: { expression: '$not($exists(event.bot_id))' }
# Slack repeats an event that is not answered within three seconds, each time with the same id.
dedup: { uses: expression, with: { key: $event.id, window: 24h } }
respond: { uses: accepted, with: { dropped: { status: 200 }, duplicate: { status: 200 } } }
tests:
  - name: somebody mentions the app
    body:
      type: event_callback
      token: XXYYZZ
      team_id: T123ABC456
      api_app_id: A123ABC456
      event_id: Ev123ABC456
      event_time: 1782820800
      event: { type: app_mention, user: U123ABC456, text: "<@U0LAN0Z89> summarize this", ts: "1782820800.000700", channel: C123ABC456 }
    expect: { verdict: accepted }
  - name: the event that is sent again is a duplicate
    body: { type: event_callback, event_id: Ev1, event: { type: app_mention, user: U1, text: "<@U0LAN0Z89> hello" } }
    expect: { verdict: duplicate, status: 200 }
  - name: a bot mentions the app
    body: { type: event_callback, event_id: Ev2, event: { type: app_mention, bot_id: B1, text: "<@U0LAN0Z89> hello" } }
    expect: { verdict: dropped, by: not the app itself, status: 200 }
  - name: another event
    body: { type: event_callback, event_id: Ev3, event: { type: reaction_added, user: U1 } }
    expect: { verdict: dropped, by: somebody mentions the app }
`,
};
