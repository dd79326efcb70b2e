import type { NotificationProgress } from '../types/index.ts';

export interface StoredNotification {
  readonly isWanted: boolean;
  readonly isFinal: boolean;
  /** Undefined: none is left to send. */
  readonly pending: { readonly attempts: number; readonly dueAt: number } | undefined;
}

/** How far the notification of a run is, by what stores keep of it. */
export function notificationOf({ isWanted, isFinal, pending }: StoredNotification): NotificationProgress | undefined {
  if (!isWanted) return undefined;
  if (!isFinal) return { kind: 'awaiting_end' };
  return pending === undefined ? { kind: 'settled' } : { kind: 'due', ...pending };
}
