import {
  type AttemptMessage,
  type CallbackMessage,
  channels,
  type ObservedGateway,
  type PluginLog,
} from '../contract/index.ts';
import { Subscriptions } from './subscriptions.ts';

/** Logs the ends of attempts, and callbacks that were not delivered. */
export class RunLog {
  readonly #log: PluginLog;
  readonly #subscriptions: Subscriptions;

  constructor(log: PluginLog, gateway: ObservedGateway) {
    this.#log = log;
    this.#subscriptions = new Subscriptions(gateway);
    this.#subscriptions.add(channels.attempt.end, (attempt) => this.#attemptEnded(attempt));
    this.#subscriptions.add(channels.callback.end, (callback) => this.#callbackEnded(callback));
  }

  close(): void {
    this.#subscriptions.close();
  }

  #attemptEnded(message: AttemptMessage): void {
    const { runId, project, trigger, caller, secret, requestId, attempt, durationMs = 0 } = message;
    const { usage, cost, failure, retryInMs } = message;
    const fields = {
      ...{ runId, project, trigger, caller },
      ...(secret !== undefined && { secret }),
      ...(requestId !== undefined && { requestId }),
      attempt,
      durationMs: Math.round(durationMs),
      ...usage,
      ...(cost !== undefined && { cost }),
    };
    switch (message.result) {
      case 'succeeded':
        this.#log.info(fields, 'run succeeded');
        break;
      case 'input_required':
        this.#log.info(fields, 'run requires input');
        break;
      case 'cancelled':
        this.#log.info(fields, 'run cancelled');
        break;
      case 'released':
        this.#log.info(fields, 'attempt ended because the gateway stops');
        break;
      case 'retry':
        this.#log.warn({ ...fields, failure, retryInMs }, 'attempt failed; retrying');
        break;
      case 'failed':
        this.#log.warn({ ...fields, failure }, 'run failed');
    }
  }

  #callbackEnded(message: CallbackMessage): void {
    const { runId, requestId, project, trigger, host, attempt, failure, retryInMs } = message;
    const fields = { runId, ...(requestId !== undefined && { requestId }), project, trigger, host, attempt };
    switch (message.result) {
      case 'gone':
        this.#log.warn(fields, 'callback receiver is gone (410); not retried');
        break;
      case 'given_up':
        this.#log.error({ ...fields, failure }, 'callback failed for the last time; giving up');
        break;
      case 'failed':
        this.#log.warn({ ...fields, failure, retryInMs }, 'callback failed');
    }
  }
}
