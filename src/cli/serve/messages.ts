import type { MetricFamily } from '../../observe/metric-family.ts';

/** The environment variable that has the path of a worker's admin socket. */
export const workerSocketVariable = 'PULLCORD_WORKER_SOCKET';

/** What the primary sends to a process that serves. */
export type ToWorker =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** It answers with its metrics. */
  | { readonly kind: 'metrics' };

/** What a process that serves sends to the primary. */
export type ToPrimary =
  | {
      readonly kind: 'serving';
      readonly address: { readonly host: string; readonly port: number };
      readonly revision: string;
      readonly gitCommit: string | undefined;
      readonly isDirty: boolean | undefined;
    }
  | { readonly kind: 'metrics'; readonly data: readonly MetricFamily[] };
