/** One line of the comparison: a request that both servers are asked to answer in the same way. */
export interface Row {
  readonly name: RowName;
  readonly status: number;
  /** Ratio to bare Fastify that we want to keep, undefined where there is no goal. */
  readonly goal: number | undefined;
  readonly body: string;
  /** Whether each request has another body, else dedup would answer all but the first. */
  readonly isUnique: boolean;
  readonly secret: string;
}

export const rowNames = ['accepted', 'dropped', 'duplicate', '401'] as const;
export type RowName = (typeof rowNames)[number];

/** The secret that the gateway of the benchmark knows. */
export const goodSecret = 'pc_the_secret_of_the_benchmark_0123456789abcdef';
const wrongSecret = 'pc_some_other_secret_of_this_length_0123456789a';

/** The names of the two filters that every request meets. */
export const filters = [
  { name: 'paying customers', expression: 'customer.plan in ["pro", "enterprise"]' },
  { name: 'about a refund', expression: '$contains(instruction, "refund")' },
];

/** What is counted up in the bodies that must differ: twelve digits. */
export const sequencePlaceholder = '000000000000';

export const rows: readonly Row[] = [
  { name: 'accepted', status: 200, goal: 0.45, body: bodyOf('pro'), isUnique: true, secret: goodSecret },
  { name: 'dropped', status: 400, goal: 0.6, body: bodyOf('free'), isUnique: false, secret: goodSecret },
  { name: 'duplicate', status: 400, goal: undefined, body: bodyOf('pro'), isUnique: false, secret: goodSecret },
  { name: '401', status: 401, goal: 0.85, body: bodyOf('pro'), isUnique: false, secret: wrongSecret },
];

/** Where a row's requests go, on either server. */
export function pathOf(row: Row): string {
  return `/api/v1.0/project/support/trigger/${row.name}`;
}

/** A support request of about 1 KB. */
function bodyOf(plan: string): string {
  const line = (sku: string, quantity: number, price: number) => ({ sku, title: `Article ${sku}`, quantity, price });
  return JSON.stringify({
    instruction: 'The customer asks for a refund of the last order, because one of the parcels arrived damaged.',
    sessionId: '5f0c2a1e-7c1d-4b57-9a86-0a8c5d3c2b11',
    language: 'en',
    timezone: 'Europe/Berlin',
    customer: {
      id: 'c-20417',
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      phone: '+49 30 1234567',
      plan,
      since: '2021-04-18',
      address: { street: 'Unter den Linden 5', city: 'Berlin', postalCode: '10117', country: 'DE' },
    },
    context: { page: '/orders/20417/refund', channel: 'web', returning: true, visits: 17 },
    order: {
      id: `order-${sequencePlaceholder}`,
      currency: 'EUR',
      lines: [line('A-100', 1, 49.9), line('B-220', 2, 12.5), line('C-031', 3, 7.25), line('D-900', 1, 129)],
      shipped: '2026-03-02T10:15:00Z',
      notes: 'Left with the neighbour. The box was open on one side and the lamp inside is broken.',
    },
  });
}
