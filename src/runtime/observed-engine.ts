import { channels, type ObservedGateway } from '../contract/index.ts';
import type { CommitObserver, RunRecord } from '../engine/types/index.ts';

/** Publishes the commits of the engine of a gateway. */
export function publishedCommits(gateway: ObservedGateway): CommitObserver {
  return {
    get isListening() {
      return channels.commit.hasSubscribers;
    },
    committed: (operations, durationMs) => channels.commit.publish({ gateway, operations, durationMs }),
  };
}

/** Publishes a run that has become final. */
export function publishEnd(gateway: ObservedGateway, run: RunRecord): void {
  if (!channels.run.hasSubscribers) return;
  const { id: runId, requestId, project, trigger, caller, state, attempt, acceptedAt, finishedAt = acceptedAt } = run;
  channels.run.publish({
    ...{ gateway, runId, requestId, project, trigger, caller, state, acceptedAt, finishedAt },
    attempts: attempt,
  });
}
