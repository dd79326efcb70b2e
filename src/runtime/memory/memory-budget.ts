import { mostPerByte, requestOverhead, requestShare } from '../../config/least-memory.ts';
import type { AwaitedRoom, EngineMemory, MemoryKind, Reservation } from '../../engine/types/index.ts';
import { addressBlock } from './address-block.ts';
import { defaultMemoryBytes } from './default-memory.ts';
import { valueMemory } from './json-memory.ts';

export interface MemoryLimits {
  /** Undefined: a share of the heap. */
  readonly memoryBytes: number | undefined;
  readonly bodyLimitBytes: number;
}

/** How much of the budget unknown senders can fill together, and how much of that one address. */
const unknownShare = 1 / 8;
const addressShare = 1 / 8;
/** How much of the budget the requests of one caller can fill. */
const callerShare = 7 / 16;
/**
 * While an attempt waits for room, a request that takes more than this share of the budget is refused, and after some time
 * any: it might wait forever otherwise. In milliseconds.
 */
const overtakingShare = 1 / 64;
const overtakingMs = 10_000;
/** How much of the budget the memory engine can fill with runs. */
const storedShare = 1 / 2;

interface Waiter {
  readonly bytes: number;
  /** In milliseconds. */
  readonly since: number;
  grant(): void;
}

/**
 * The memory that the gateway may use for bodies, inputs, outputs, deltas and replies together. It counts estimates: what
 * JSON takes is known from its text (json-memory.ts). Requests are refused when it is full; what has been accepted waits,
 * or is charged and keeps further requests out.
 */
export class MemoryBudget implements EngineMemory {
  readonly #held: Record<MemoryKind, number> = {
    unauthenticated: 0,
    requests: 0,
    runs: 0,
    outputs: 0,
    deltas: 0,
    replies: 0,
    stored: 0,
  };
  readonly #ofAddresses = new Shares();
  readonly #ofCallers = new Shares();
  readonly #waiting = new Set<Waiter>();
  readonly #now: () => number;
  #total = 0;
  #limit = 0;
  #largestInput = 0;
  #unknownLimit = 0;

  constructor(limits: MemoryLimits, now = () => performance.now()) {
    this.#now = now;
    this.setLimits(limits);
  }

  /** In force from now on. What is held beyond a lower limit stays until it is released. */
  setLimits({ memoryBytes, bodyLimitBytes }: MemoryLimits): void {
    const oneBody = bodyLimitBytes + requestOverhead;
    this.#limit = memoryBytes ?? defaultMemoryBytes(bodyLimitBytes);
    this.#largestInput = bodyLimitBytes * mostPerByte + requestOverhead;
    this.#unknownLimit = Math.max(this.#limit * unknownShare, oneBody);
    this.#ofAddresses.limit = Math.max(this.#unknownLimit * addressShare, oneBody);
    this.#ofCallers.limit = Math.max(this.#limit * callerShare, this.#largestInput);
    this.#serveWaiting();
  }

  get limit(): number {
    return this.#limit;
  }

  /** What is held for each kind. */
  get held(): Readonly<Record<MemoryKind, number>> {
    return this.#held;
  }

  /** Whether the limit is reached: nothing more should be brought into memory. */
  get isFull(): boolean {
    return this.#total >= this.#limit;
  }

  get isCrowded(): boolean {
    return this.#held.stored > this.#limit * storedShare;
  }

  reserve(kind: MemoryKind, bytes: number): Reservation | undefined {
    return this.#fits(kind, bytes) ? this.charge(kind, bytes) : undefined;
  }

  /** For the body of a request whose sender is not known yet: from a small share, of which each address has a part. */
  reserveUnknown(ip: string, bytes: number): Reservation | undefined {
    return this.#reserveOf('unauthenticated', bytes, { shares: this.#ofAddresses, key: addressBlock(ip) });
  }

  /** For the body of a request of a known caller, who can fill a share of the budget alone. */
  reserveKnown(caller: string, bytes: number): Reservation | undefined {
    return this.#reserveOf('requests', bytes, { shares: this.#ofCallers, key: caller });
  }

  #reserveOf(kind: MemoryKind, bytes: number, owner: Owner): Reservation | undefined {
    if (!this.#fits(kind, bytes) || !owner.shares.fits(owner.key, bytes)) return undefined;
    return new Held(this.#ledger, kind, bytes, owner);
  }

  charge(kind: MemoryKind, bytes: number): Reservation {
    return new Held(this.#ledger, kind, bytes, undefined);
  }

  room(bytes = this.#largestInput): Reservation | AwaitedRoom {
    if (this.#waiting.size === 0 && this.#fits('runs', bytes)) return this.charge('runs', bytes);
    const { promise: granted, resolve } = Promise.withResolvers<Reservation | undefined>();
    const waiter = { bytes, since: this.#now(), grant: () => resolve(this.charge('runs', bytes)) };
    this.#waiting.add(waiter);
    return {
      granted,
      withdraw: () => {
        if (!this.#waiting.delete(waiter)) return;
        resolve(undefined);
        this.#serveWaiting();
      },
    };
  }

  measure(value: unknown): number {
    return valueMemory(value);
  }

  #fits(kind: MemoryKind, bytes: number): boolean {
    const total = this.#total + bytes;
    switch (kind) {
      case 'requests':
        return total <= this.#limit * requestShare && !this.#overtakes(bytes);
      case 'unauthenticated':
        return total <= this.#limit * requestShare && this.#held.unauthenticated + bytes <= this.#unknownLimit;
      case 'stored':
        return total <= this.#limit * requestShare && this.#held.stored + bytes <= this.#limit * storedShare;
      case 'runs':
        // Otherwise callers that wait for queued runs could hold all of it, and no run would ever start.
        return total <= this.#limit || this.#held.runs === 0;
      default:
        return total <= this.#limit;
    }
  }

  #overtakes(bytes: number): boolean {
    // Asked for each request: usually nobody waits, and a set's iterator is not needed to see that.
    if (this.#waiting.size === 0) return false;
    const [first] = this.#waiting;
    const waitedMs = this.#now() - (first?.since ?? 0);
    return bytes > this.#limit * overtakingShare || waitedMs > overtakingMs;
  }

  readonly #ledger: Ledger = {
    fits: (kind, bytes, owner) => this.#fits(kind, bytes) && (owner?.shares.fits(owner.key, bytes) ?? true),
    count: (kind, bytes, owner) => {
      this.#total += bytes;
      this.#held[kind] += bytes;
      owner?.shares.count(owner.key, bytes);
      if (bytes < 0 && this.#waiting.size > 0) this.#serveWaiting();
    },
  };

  #serveWaiting(): void {
    for (const waiter of this.#waiting) {
      if (!this.#fits('runs', waiter.bytes)) return;
      this.#waiting.delete(waiter);
      waiter.grant();
    }
  }
}

/** What is held by each of those who can fill a share of the budget. */
class Shares {
  limit = 0;
  readonly #held = new Map<string, number>();

  fits(key: string, bytes: number): boolean {
    return (this.#held.get(key) ?? 0) + bytes <= this.limit;
  }

  count(key: string, bytes: number): void {
    const held = (this.#held.get(key) ?? 0) + bytes;
    if (held > 0) this.#held.set(key, held);
    else this.#held.delete(key);
  }
}

/** Whose share a reservation is part of: an address, or a caller. */
interface Owner {
  readonly shares: Shares;
  readonly key: string;
}

/** What a reservation sees of its budget. */
interface Ledger {
  fits(kind: MemoryKind, bytes: number, owner: Owner | undefined): boolean;
  count(kind: MemoryKind, bytes: number, owner: Owner | undefined): void;
}

class Held implements Reservation {
  readonly #ledger: Ledger;
  #kind: MemoryKind;
  #bytes: number;
  /** Until the request is a run. */
  #owner: Owner | undefined;
  #holders = 1;

  constructor(ledger: Ledger, kind: MemoryKind, bytes: number, owner: Owner | undefined) {
    this.#ledger = ledger;
    this.#kind = kind;
    this.#bytes = bytes;
    this.#owner = owner;
    ledger.count(kind, bytes, owner);
  }

  get bytes(): number {
    return this.#bytes;
  }

  share(kind: MemoryKind): void {
    this.#holders += 1;
    this.moveTo(kind);
  }

  moveTo(kind: MemoryKind): void {
    if (kind === this.#kind) return;
    // First what is added: what is freed might be granted to others.
    this.#ledger.count(kind, this.#bytes, undefined);
    this.#ledger.count(this.#kind, -this.#bytes, this.#owner);
    this.#kind = kind;
    this.#owner = undefined;
  }

  resize(bytes: number): boolean {
    const more = bytes - this.#bytes;
    if (more > 0 && !this.#ledger.fits(this.#kind, more, this.#owner)) return false;
    this.correct(bytes);
    return true;
  }

  correct(bytes: number): void {
    const more = bytes - this.#bytes;
    this.#bytes = bytes;
    this.#ledger.count(this.#kind, more, this.#owner);
  }

  release(): void {
    if (this.#holders === 0) throw new Error('memory was released twice');
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#ledger.count(this.#kind, -this.#bytes, this.#owner);
    this.#bytes = 0;
  }
}
