import type { PluginContext } from '../../../src/contract/index.ts';
import { untilAborted } from '../until-aborted.ts';
import type { Options } from './options.gen.ts';
import type { Service } from './service.ts';

/** How long Dify may take to hear that it is to stop, in milliseconds. Nobody waits for it meanwhile. */
const stopTimeoutMs = 2_000;

/** Of what Dify says to it nothing is wanted. */
const ownConnections = { connections: 4, maxResponseBytes: 64 * 1024 };

/** Tells Dify to stop working on an answer. The user must be the one that asked, or nothing is stopped. */
export type StopTask = (taskId: string, user: string) => void;

export function createTaskStopper(context: PluginContext, { app }: Options, service: Service): StopTask {
  const { headers, at } = service;
  // Of their own: all others may be busy with the answers that are to be stopped.
  const client = context.outbound(ownConnections);
  const tasks = app === 'workflow' ? 'workflows/tasks' : 'chat-messages';
  const stopping = new Set<Promise<void>>();
  // Before the client is closed, since closers run last registered first.
  context.onClose(async () => {
    await Promise.all(stopping);
  });

  async function stop(taskId: string, user: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(stopTimeoutMs);
      const address = at(`${tasks}/${encodeURIComponent(taskId)}/stop`);
      const request = { method: 'POST', headers, body: JSON.stringify({ user }), signal } as const;
      const response = await untilAborted(signal, client.request(address, request));
      await response.discard();
    } catch {
      context.log.warn({}, 'Dify could not be told to stop');
    }
  }

  return (taskId, user) => {
    const stopped = stop(taskId, user).finally(() => stopping.delete(stopped));
    stopping.add(stopped);
  };
}
