/** What an engine keeps of a run beside its record. */
export interface RunProgress {
  /** Whether its attempt has saved where it is: the work continues in the agent, and survives a restart. */
  readonly hasCheckpoint: boolean;
  /** Undefined: nobody is notified of its end. */
  readonly notification: NotificationProgress | undefined;
}

export type NotificationProgress =
  /** The run has not ended. */
  | { readonly kind: 'awaiting_end' }
  /** `attempts` so far, the next one at `dueAt`, milliseconds since the epoch. */
  | { readonly kind: 'due'; readonly attempts: number; readonly dueAt: number }
  /** Delivered, or given up: no engine keeps which. */
  | { readonly kind: 'settled' };
