import type { Gateway } from '../../http/gateway.ts';
import type { Log } from '../log.ts';
import { exitCodes } from '../terminal.ts';
import type { NpmParent } from './npm-parent.ts';

/** How soon after a signal npm passes the same one on, in milliseconds: a terminal sends it to both. */
export const passedOnWithinMs = 1000;

/** Where signals come from: the system, or the process that has started this one. */
export type Signals = Pick<NodeJS.EventEmitter, 'on'>;

/**
 * Resolves when the gateway is to be closed: `server.shutdownDelay` after the first signal to stop, or after npm has gone. A
 * second signal ends the delay; when there is none, or it is over, the process ends at once.
 */
export function stopSignal(
  log: Log,
  gateway: Gateway,
  { parent, signals }: { readonly parent: NpmParent | undefined; readonly signals: Signals },
): Promise<void> {
  signals.on('SIGHUP', () => {
    // The terminal has gone, and npm with it: a gateway under nohup continues.
    parent?.ignore();
    log.info({}, 'SIGHUP: reloading');
    void gateway.reloader.reload({ always: true });
  });
  return new Promise((resolve) => {
    const hurry = new AbortController();
    let stoppedAt: number | undefined;
    let isDelayed = false;
    const stop = async (why: object): Promise<void> => {
      stoppedAt = performance.now();
      parent?.ignore();
      const { shutdownDelayMs } = gateway;
      if (shutdownDelayMs > 0) {
        isDelayed = true;
        log.info({ ...why, shutdownDelayMs }, 'stopping: /readyz fails, and requests are served for a while');
        await gateway.announceStop(hurry.signal);
        isDelayed = false;
      }
      log.info(why, 'stopping: no new requests; running ones may finish');
      resolve();
    };
    const onSignal = (signal: NodeJS.Signals) => {
      if (stoppedAt === undefined) void stop({ signal });
      else if (parent !== undefined && performance.now() - stoppedAt <= passedOnWithinMs) return;
      else if (isDelayed) hurry.abort();
      else process.exit(exitCodes.problems);
    };
    signals.on('SIGTERM', onSignal).on('SIGINT', onSignal);
    parent?.onGone(() => void stop({ reason: 'npm has ended' }));
  });
}
