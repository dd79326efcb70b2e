import type { JsonValue } from '../../contract/index.ts';

/** What memory is held for. Metrics have these names. */
export type MemoryKind = 'unauthenticated' | 'requests' | 'runs' | 'outputs' | 'deltas' | 'replies' | 'stored';

/** Memory that is accounted for until its last holder releases it. */
export interface Reservation {
  /** An estimate, as are all bytes here. */
  readonly bytes: number;
  /** From now on it is held for `kind`, which needs no further room. */
  moveTo(kind: MemoryKind): void;
  /** Adds a holder, which must release it too, and moves it to `kind`. */
  share(kind: MemoryKind): void;
  /** Takes more or less; false if there is not enough room, and then nothing has changed. */
  resize(bytes: number): boolean;
  /** As `resize`, whether there is room or not: for what is in memory already. */
  correct(bytes: number): void;
  /** Once for each holder. */
  release(): void;
}

/** Room that others hold for now. */
export interface AwaitedRoom {
  /** Undefined if it was withdrawn. */
  readonly granted: Promise<Reservation | undefined>;
  /** It is no longer needed. */
  withdraw(): void;
}

/** The budget that an engine shares with its gateway. Every call takes constant time, except `measure`. */
export interface EngineMemory {
  /** Undefined if there is no room. */
  reserve(kind: MemoryKind, bytes: number): Reservation | undefined;
  /** Accounts for what is in memory already, whether there is room or not: then others are refused. */
  charge(kind: MemoryKind, bytes: number): Reservation;
  /**
   * Room for the input of an attempt, at once or when others have released theirs, in the order of the calls. One that is
   * larger than the whole budget gets it when no other attempt has any.
   * @param bytes undefined if the input has not been read yet: as much as any may take
   */
  room(bytes: number | undefined): Reservation | AwaitedRoom;
  /** Whether the stored finished runs have to give way. */
  readonly isCrowded: boolean;
  /** What a value takes. Visits all of it. */
  measure(value: JsonValue): number;
}
