import type { Sender } from './sender.ts';

/** https://docs.stripe.com/api/events/object */
export const stripe: Sender = {
  name: 'stripe',
  title: 'Stripe',
  secretVariable: 'STRIPE_WEBHOOK_SECRET',
  setUp:
    'In *Developers > Webhooks*, add an endpoint: this URL, and only the event `charge.dispute.created`. Its signing ' +
    'secret begins with `whsec_`.',
  tryWith: `-d '{"id":"evt_1","object":"event","type":"charge.dispute.created","livemode":true,"data":{"object":{"id":"dp_1","amount":1999}}}'`,
  trigger: `key: stripe
name: Stripe disputes
auth: { uses: signature, with: { scheme: stripe, secrets: [{ env: STRIPE_WEBHOOK_SECRET }] } }
filter:
  - name: a payment is disputed
    uses: jsonata
    with: { expression: 'type = "charge.dispute.created"' }
  - name: with real money
    uses: jsonata
    with: { expression: 'livemode' }
# Stripe repeats an event for three days, each time with the same id.
dedup: { uses: expression, with: { key: $event.id, window: 7d } }
respond: { uses: accepted, with: { dropped: { status: 204 }, duplicate: { status: 200 } } }
tests:
  - name: a payment is disputed
    body:
      id: evt_1PgafyB7WZ01zgkWXxU0Fi0q
      object: event
      api_version: "2025-06-30.basil"
      created: 1782820800
      livemode: true
      pending_webhooks: 1
      type: charge.dispute.created
      data: { object: { id: dp_1, object: dispute, amount: 1999, currency: eur, reason: fraudulent, charge: ch_1 } }
    expect: { verdict: accepted }
  - name: the event that is sent again is a duplicate
    body: { id: evt_1, object: event, type: charge.dispute.created, livemode: true, data: { object: { id: dp_1 } } }
    expect: { verdict: duplicate, status: 200 }
  - name: a payment is disputed in test mode
    body: { id: evt_2, object: event, type: charge.dispute.created, livemode: false, data: { object: { id: dp_2 } } }
    expect: { verdict: dropped, by: with real money }
  - name: another event
    body: { id: evt_3, object: event, type: charge.succeeded, livemode: true, data: { object: { id: ch_1 } } }
    expect: { verdict: dropped, by: a payment is disputed }
`,
};
