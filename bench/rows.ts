/** What is measured: a gateway by its engine, on a disk of this machine or on one that is made slow; bare Fastify; or an agent. */
export type Subject =
  | 'memory'
  | 'memory with cors'
  | 'memory with limits'
  | 'memory, tracing none'
  | 'memory, tracing all'
  | 'sqlite'
  | 'sqlite with limits'
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

/** Which part of the requests is traced, and exported to a collector. */
export const tracedRates: Partial<Record<Subject, number>> = { 'memory, tracing none': 0, 'memory, tracing all': 1 };

/** How many milliseconds each agent thinks before it answers. */
export const agentThinksMs = { agent: 0, 'thinking agent': 10 } as const;
export type AgentName = keyof typeof agentThinksMs;

/** What a server is asked, and the status that it must answer with. */
export interface RowRequest {
  readonly method: 'POST' | 'OPTIONS';
  /** The trigger that is fired. */
  readonly trigger: TriggerName;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for a request without one. */
  readonly body: string | undefined;
  /** Whether each request has another body, else dedup would answer all but the first. */
  readonly isUnique: boolean;
}

/** One line of the comparison: a request that both servers are asked to answer in the same way. */
export interface Row extends RowRequest {
  readonly name: RowName;
  /** What is measured, and against what. */
  readonly subject: Subject;
  readonly reference: Subject;
  readonly connections: number;
  /** The agent behind the trigger, if it is none of the gateway's own; it is the reference too. */
  readonly agent?: AgentName;
  /** What the reference is asked, if it is another request. */
  readonly referenceRequest?: RowRequest | undefined;
  /** Ratio to the reference that we want to keep, undefined where there is no goal. */
  readonly goal: number | undefined;
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
  | 'recorded-tenth'
  | 'cors'
  | 'preflight'
  | 'limited'
  | 'limited-durable'
  | 'tracing-off'
  | 'tracing-unsampled'
  | 'tracing-sampled';

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

const post = { method: 'POST', headers: headersOf(goodSecret), body: bodyOf('pro') } as const;

/** The pipeline alone: nothing waits for a disk. */
const pipeline = { ...post, subject: 'memory', reference: 'bare', connections: 16 } as const;
const accepted = { ...pipeline, trigger: 'accepted', status: 200, isUnique: true } as const;
const wrongKey = { headers: headersOf(wrongSecret) };
const unauthorized = { ...pipeline, ...wrongKey, trigger: '401', status: 401, isUnique: false } as const;
/** Answered 202 as soon as it is stored. */
const durable = { ...post, trigger: 'background', status: 202, connections: 64, isUnique: true } as const;

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
const proxied = { ...post, trigger: 'proxied', status: 200, connections: 64, isUnique: true } as const;
const thinking = { agent: 'thinking agent', reference: 'thinking agent' } as const;

/** Of the page that the gateway with CORS allows. */
export const pageOrigin = 'https://www.example.com';
/** The same gateway, where no trigger has `cors`. */
const fromPage = { subject: 'memory with cors', reference: 'memory' } as const;
const preflight = {
  method: 'OPTIONS',
  trigger: 'accepted',
  status: 204,
  body: undefined,
  isUnique: false,
  headers: {
    origin: pageOrigin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  },
} as const;

/** Of all triggers of the gateways with limits: counted for each key, and far from full. */
export const limits = [
  { requests: '1000000000/1m', per: 'key' },
  { runs: '1000000000/1h', per: 'key' },
];

export const rows: readonly Row[] = [
  { ...accepted, name: 'accepted', goal: 0.7 },
  { ...pipeline, name: 'dropped', trigger: 'dropped', status: 400, goal: 0.85, isUnique: false, body: bodyOf('free') },
  { ...pipeline, name: 'duplicate', trigger: 'duplicate', status: 400, goal: undefined, isUnique: false },
  { ...unauthorized, name: '401', goal: 0.85 },
  { ...accepted, ...fromPage, name: 'cors', headers: { ...accepted.headers, origin: pageOrigin }, goal: 0.97 },
  { ...pipeline, ...fromPage, ...preflight, name: 'preflight', referenceRequest: unauthorized, goal: 1 },
  { ...accepted, name: 'limited', subject: 'memory with limits', reference: 'memory', goal: 0.95 },
  { ...durable, name: 'limited-durable', subject: 'sqlite with limits', reference: 'sqlite', goal: 0.9 },
  // The same on both sides: what the machine adds to the two below it.
  { ...accepted, name: 'tracing-off', subject: 'memory', reference: 'memory', goal: undefined },
  { ...accepted, name: 'tracing-unsampled', subject: 'memory, tracing none', reference: 'memory', goal: 0.99 },
  { ...accepted, name: 'tracing-sampled', subject: 'memory, tracing all', reference: 'memory', goal: 0.9 },
  { ...durable, name: 'durable', subject: 'sqlite', reference: 'memory', goal: 0.7 },
  { ...durable, name: 'durable-slow-disk', subject: 'sqlite on a slow disk', reference: 'memory', goal: 0.5 },
  { ...recorded, name: 'recorded', subject: 'sqlite, recording all' },
  { ...recorded, name: 'recorded-tenth', subject: 'sqlite, recording a tenth' },
  { ...proxied, ...thinking, name: 'proxied', subject: 'memory', goal: 0.6 },
  { ...proxied, ...thinking, name: 'proxied-durable', subject: 'sqlite', goal: undefined },
  { ...proxied, name: 'proxied-instant', subject: 'memory', agent: 'agent', reference: 'agent', goal: undefined },
  { ...durable, name: 'durable-bare', subject: 'sqlite', reference: 'bare', goal: undefined },
];

/** Where requests go, on either server. */
export function pathOf({ trigger }: RowRequest): string {
  return `/api/v1.0/project/support/trigger/${trigger}`;
}

function headersOf(secret: string): Record<string, string> {
  return { 'content-type': 'application/json', 'x-api-key': secret };
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
