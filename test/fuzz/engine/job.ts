import type { Found } from './found.ts';

/** What a process of the fuzzer is started with. */
export interface Job {
  /** The module that exports the targets. */
  readonly module: string;
  readonly target: string;
  readonly seed: number;
  readonly steps: number;
  /** Where the process keeps the step that it is at. */
  readonly stepFile: string;
  /** Folders of inputs to start with. */
  readonly folders: readonly string[];
  /** Inputs that have ended a process before, in base64: they are not tried again. */
  readonly lost: readonly string[];
  /** The folder that receives the inputs that it kept; undefined: they are forgotten. */
  readonly grows: string | undefined;
}

/** What it reports when it is done. Bytes are in base64. */
export interface ChildReport {
  readonly steps: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: readonly (Omit<Found, 'input'> & { readonly input: string })[];
  /** How many inputs it kept. */
  readonly corpus: number;
  readonly cpuSeconds: number;
  readonly mostWork: number | undefined;
  readonly slowest: { readonly ms: number; readonly input: string };
}
