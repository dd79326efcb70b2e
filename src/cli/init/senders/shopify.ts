import type { Sender } from './sender.ts';

/** https://shopify.dev/docs/api/webhooks */
export const shopify: Sender = {
  name: 'shopify',
  title: 'Shopify',
  secretVariable: 'SHOPIFY_WEBHOOK_SECRET',
  setUp:
    'In *Settings > Notifications > Webhooks*, create a webhook for *Order cancellation* in JSON with this URL; the page ' +
    "shows what it is signed with. For webhooks of an app it is the app's client secret.",
  tryWith: `--event orders/cancelled -d '{"id":820982911946154508,"cancel_reason":"customer","total_price":"398.00"}'`,
  trigger: `key: shopify
name: Shopify cancellations
auth: { uses: signature, with: { scheme: shopify, secrets: [{ env: SHOPIFY_WEBHOOK_SECRET }] } }
filter:
  - name: an order is cancelled
    uses: jsonata
    with: { expression: '$event.name = "orders/cancelled"' }
  - name: by the customer
    uses: jsonata
    with: { expression: 'cancel_reason = "customer"' }
dedup: { uses: expression, with: { key: $event.id, window: 7d } }
# Shopify removes a webhook after eight failures in a row: an event that is dropped must not be one.
respond: { uses: accepted, with: { dropped: { status: 204 }, duplicate: { status: 200 } } }
tests:
  - name: a customer cancels an order
    headers: { x-shopify-topic: orders/cancelled, x-shopify-event-id: 98880550-7158-44d4-b7cd-2c97c8a091b5 }
    body:
      id: 820982911946
      admin_graphql_api_id: gid://shopify/Order/820982911946
      cancel_reason: customer
      currency: USD
      total_price: "398.00"
      email: jon@example.com
      customer: { id: 115310627314, first_name: John, phone: null }
      line_items: [{ id: 866550311766, title: IPod Nano, quantity: 1, price: "199.00" }]
    expect: { verdict: accepted }
  - name: the event that is sent again is a duplicate
    headers: { x-shopify-topic: orders/cancelled, x-shopify-event-id: 98880550-7158-44d4-b7cd-2c97c8a091b5 }
    body: { id: 820982911946, cancel_reason: customer }
    expect: { verdict: duplicate, status: 200 }
  - name: the shop cancels an order
    headers: { x-shopify-topic: orders/cancelled }
    body: { id: 820982911947, cancel_reason: inventory }
    expect: { verdict: dropped, by: by the customer, status: 204 }
  - name: another topic
    headers: { x-shopify-topic: orders/create }
    body: { id: 820982911948, cancel_reason: null }
    expect: { verdict: dropped, by: an order is cancelled }
`,
};
