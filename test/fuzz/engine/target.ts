/** What one input led to, as far as it is allowed. Everything else is thrown. */
export interface Outcome {
  /** A value, or the error that the code declares for input that it refuses. */
  readonly kind: 'value' | 'refused';
  /** Tells outcomes apart: an error code, a verdict, a status. Few per target. */
  readonly code: string;
  /** A size of the result. An input whose outcome has another magnitude is worth keeping. */
  readonly size?: number;
  /** The work that was counted, and its limit for this input. */
  readonly work?: { readonly done: number; readonly limit: number };
}

/** How inputs are varied: any bytes, the tokens of JSON, or a text, an empty line and JSON. */
export type Shape = 'bytes' | 'json' | 'text and json';

/** Something that reads untrusted data. */
export interface Target {
  readonly name: string;
  /** Its share of the steps, relative to the others: about as many thousands of ten million. Default: 120. */
  readonly weight?: number;
  readonly shape: Shape;
  /** Tokens of its language, which variations insert. */
  readonly words?: readonly string[];
  /** The longest input, in bytes. Default: 4 KiB. */
  readonly maxBytes?: number;
  /** The inputs that are tried first, and varied. */
  seeds(): Iterable<Seed> | AsyncIterable<Seed>;
  open(): OpenTarget | Promise<OpenTarget>;
}

const defaultWeight = 120;

export function weightOf({ weight = defaultWeight }: Target): number {
  return weight;
}

type Seed = string | Uint8Array;

export interface OpenTarget {
  /** Throws a Fault, or any other error for a crash, unless the outcome is allowed. */
  run(input: Buffer): Outcome | Promise<Outcome>;
  close?(): Promise<void> | void;
}

export const faultKinds = ['crash', 'hang', 'server error', 'work beyond its limit', 'broken promise'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** An outcome that is not allowed. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Throws a Fault unless something that the code promises is true. */
export function promised(isKept: boolean, promise: string): asserts isKept {
  if (!isKept) throw new Fault('broken promise', promise);
}
