import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '../support/postgres.ts';
import type { SwallowingProxy } from '../support/swallowing-proxy.ts';
import type { ChaosNode } from './chaos-node.ts';

/** What may happen to a node, to its way to the database, and to the database. */
export const disturbances = [
  'killed',
  'restarted',
  'pausedShortly',
  'pausedBeyondLease',
  'swallowedShortly',
  'swallowedBeyondLease',
  'heldShortly',
  'heldBeyondLease',
  'cut',
  'delayed',
  'databaseCrashed',
] as const;

/** What happens more often: late writes arrive when others have taken over, which only the fence refuses. */
const worst = ['heldBeyondLease', 'heldBeyondLease', 'killed'] as const;

export type Disturbance = (typeof disturbances)[number];

/** A node and its way to the database. */
export interface Place {
  readonly node: ChaosNode;
  readonly proxy: SwallowingProxy;
}

export interface Disturbed {
  readonly places: readonly Place[];
  readonly database: PostgresServer;
  readonly leaseMs: number;
}

/** Disturbs until `isOver`, each way about as often as the others; then waits until all have recovered. */
export async function disturb(
  disturbed: Disturbed,
  isOver: () => boolean,
  onDisturbance: (kind: Disturbance) => void,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for (let deck: Disturbance[] = []; ; ) {
    await sleep(1000 + Math.random() * 3000);
    if (isOver()) break;
    if (deck.length === 0) deck = shuffled([...disturbances, ...worst]);
    const kind = deck.pop();
    if (kind === undefined) continue;
    // Several overlap, but only one crash of the database.
    const done = happen(kind, disturbed, onDisturbance);
    if (kind === 'databaseCrashed') await done;
    underWay.add(done);
    void done.finally(() => underWay.delete(done));
  }
  await Promise.all(underWay);
}

async function happen(
  kind: Disturbance,
  { places, database, leaseMs }: Disturbed,
  onDisturbance: (kind: Disturbance) => void,
): Promise<void> {
  if (kind === 'databaseCrashed') {
    onDisturbance(kind);
    await database.crash();
    await sleep(Math.random() * 1000);
    await database.restart();
    return;
  }
  const free = shuffled(places).find(({ node }) => !node.isDisturbed && node.url !== undefined);
  if (free === undefined) return;
  onDisturbance(kind);
  const { node, proxy } = free;
  const shortMs = leaseMs * (0.05 + Math.random() * 0.3);
  const longMs = leaseMs * (1.3 + Math.random() * 0.7);
  node.isDisturbed = true;
  try {
    if (kind === 'killed') await node.kill().then(() => node.start());
    else if (kind === 'restarted') await node.stop().then(() => node.start());
    else if (kind === 'pausedShortly') await node.pause(shortMs);
    else if (kind === 'pausedBeyondLease') await node.pause(longMs);
    else if (kind === 'cut') proxy.cut();
    else await during(proxy, kind, kind === 'delayed' || kind.endsWith('BeyondLease') ? longMs : shortMs);
  } finally {
    node.isDisturbed = false;
  }
}

async function during(
  proxy: SwallowingProxy,
  kind: Exclude<
    Disturbance,
    'killed' | 'restarted' | 'pausedShortly' | 'pausedBeyondLease' | 'cut' | 'databaseCrashed'
  >,
  ms: number,
): Promise<void> {
  if (kind === 'delayed') proxy.delay(20 + Math.random() * 100);
  else if (kind === 'heldShortly' || kind === 'heldBeyondLease') proxy.hold();
  else proxy.swallow();
  await sleep(ms);
  if (kind === 'delayed') proxy.delay(0);
  else proxy.resume();
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
