/** What is measured: a gateway by its engine, on a disk of this machine or on one that is made slow; bare Fastify; or an agent. */
export type Subject =
  | 'memory'
  | 'sqlite'
  | 'sqlite on a slow disk'
  | 'sqlite, recording all'
  | 'sqlite, recording a tenth'
  | 'bare'
  | 'agent'
  | 'thinking agent';

/** Which part of the requests is recorded. */
export const recordingRates: Partial<Record<Subject, number>> = {
  'sqlite, recording all': 1,
  'sqlite, recording a tenth': 0.1,
};

/** How many milliseconds each agent thinks before it answers. */
export const agentThinksMs = { agent: 0, 'thinking agent': 10 } as const;
export type AgentName = keyof typeof agentThinksMs;

/** One line of the comparison: a request that both servers are asked to answer in the same way. */
export interface Row {
  readonly name: RowName;
  /** What is measured, and against what. */
  readonly subject: Subject;
  readonly reference: Subject;
  readonly connections: number;
  /** The agent behind the trigger, if it is none of the gateway's own; it is the reference too. */
  readonly agent?: AgentName;
  /** The trigger that is fired. */
  readonly trigger: TriggerName;
  readonly status: number;
  /** Ratio to the reference that we want to keep, undefined where there is no goal. */
  readonly goal: number | undefined;
  readonly body: string;
  /** Whether each request has another body, else dedup would answer all but the first. */
  readonly isUnique: boolean;
  readonly secret: string;
}

export const triggerNames = ['accepted', 'dropped', 'duplicate', '401', 'background', 'proxied'] as const;
type TriggerName = (typeof triggerNames)[number];
export type RowName =
  | Exclude<TriggerName, 'background'>
  | 'proxied-instant'
  | 'proxied-durable'
  | 'durable'
  | 'durable-slow-disk'
  | 'durable-bare'
  | 'recorded'
  | 'recorded-tenth';

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

/** The pipeline alone: nothing waits for a disk. */
const pipeline = {
  subject: 'memory',
  reference: 'bare',
  connections: 16,
  body: bodyOf('pro'),
  secret: goodSecret,
} as const;
/** Answered 202 as soon as it is stored. */
const durable = {
  trigger: 'background',
  status: 202,
  connections: 64,
  body: bodyOf('pro'),
  isUnique: true,
  secret: goodSecret,
} as const;

/** Dropped, so that nothing is stored but the recording; what recording costs, against the same without. */
const recorded = {
  ...pipeline,
  reference: 'sqlite',
  trigger: 'dropped',
  status: 400,
  goal: undefined,
  isUnique: false,
  body: bodyOf('free'),
} as const;

/** A trigger that calls an agent, against calling that agent without a gateway. */
const proxied = {
  trigger: 'proxied',
  status: 200,
  connections: 64,
  body: bodyOf('pro'),
  isUnique: true,
  secret: goodSecret,
} as const;
const thinking = { agent: 'thinking agent', reference: 'thinking agent' } as const;

export const rows: readonly Row[] = [
  { ...pipeline, name: 'accepted', trigger: 'accepted', status: 200, goal: 0.7, isUnique: true },
  { ...pipeline, name: 'dropped', trigger: 'dropped', status: 400, goal: 0.85, isUnique: false, body: bodyOf('free') },
  { ...pipeline, name: 'duplicate', trigger: 'duplicate', status: 400, goal: undefined, isUnique: false },
  { ...pipeline, name: '401', trigger: '401', status: 401, goal: 0.85, isUnique: false, secret: wrongSecret },
  { ...durable, name: 'durable', subject: 'sqlite', reference: 'memory', goal: 0.7 },
  { ...durable, name: 'durable-slow-disk', subject: 'sqlite on a slow disk', reference: 'memory', goal: 0.5 },
  { ...recorded, name: 'recorded', subject: 'sqlite, recording all' },
  { ...recorded, name: 'recorded-tenth', subject: 'sqlite, recording a tenth' },
  { ...proxied, ...thinking, name: 'proxied', subject: 'memory', goal: 0.6 },
  { ...proxied, ...thinking, name: 'proxied-durable', subject: 'sqlite', goal: undefined },
  { ...proxied, name: 'proxied-instant', subject: 'memory', agent: 'agent', reference: 'agent', goal: undefined },
  { ...durable, name: 'durable-bare', subject: 'sqlite', reference: 'bare', goal: undefined },
];

/** Where a row's requests go, on either server. */
export function pathOf(row: Row): string {
  return `/api/v1.0/project/support/trigger/${row.trigger}`;
}

/** A support request of about 1 KB. */
function bodyOf(plan: string): string {
  const line = (sku: string, quantity: number, price: number) => ({ sku, title: `Article ${sku}`, quantity, price });
  return JSON.stringify({
    instruction: 'The customer asks for a refund of the last order, because one of the parcels arrived damaged.',
    source: '5f0c2a1e-7c1d-4b57-9a86-0a8c5d3c2b11',
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
