import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { type Gateway, type GatewayOptions, startGateway } from '../../src/http/gateway.ts';
import { LiveReview } from '../../src/review/live-review.ts';
import { configFolder, secrets } from './config-folder.ts';
import { type LogLine, recordingLog } from './recording-log.ts';
import { type Answer, send } from './send.ts';

export interface TestGateway {
  readonly gateway: Gateway;
  readonly root: string;
  /** Origin of the public listener. */
  readonly url: string;
  readonly adminUrl: string;
  readonly log: readonly LogLine[];
  /** Fires a trigger of the project `support` as the key `website`. */
  fire(key: string, body?: unknown, options?: FireOptions): Promise<Answer>;
}

export interface FireOptions {
  readonly secret?: string | null;
  readonly project?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as it is, instead of the body as JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  /** What follows the trigger's key in the path. */
  readonly path?: string;
}

/** Starts a gateway on free ports over a folder with these files; it stops with the test. */
export async function startTestGateway(
  t: Test,
  files: Record<string, string>,
  options: Pick<GatewayOptions, 'reloadLimits' | 'pause' | 'traces' | 'alertClock'> = {},
): Promise<TestGateway> {
  return serveFolder(t, await configFolder(t, files), options);
}

/** Tests write a file at once, and are many: files may settle in a fraction of the time. */
const shortPause: GatewayOptions['pause'] = (ms, signal) => sleep(ms / 25, undefined, { signal });

export async function serveFolder(
  t: Test,
  root: string,
  options: Pick<GatewayOptions, 'reloadLimits' | 'pause' | 'traces' | 'alertClock'> = {},
): Promise<TestGateway> {
  const lines: LogLine[] = [];
  const started = await startGateway({
    ...{ root, log: recordingLog(lines), pause: shortPause, review: new LiveReview() },
    ...options,
  });
  if (!started.ok) throw new Error(JSON.stringify(started.problems, undefined, 2));
  const { gateway } = started;
  t.teardown(() => gateway.close());
  const url = `http://127.0.0.1:${gateway.address.port}`;
  return {
    gateway,
    root,
    url,
    adminUrl: `http://127.0.0.1:${gateway.adminAddress.port}`,
    log: lines,
    fire: (key, body, options = {}) => fireAt(url, key, body, options),
  };
}

/** As `TestGateway.fire`, at the public listener of any gateway. */
export function fireAt(url: string, key: string, body: unknown, options: FireOptions = {}): Promise<Answer> {
  const { secret = secrets.website, project = 'support', method = 'POST', headers = {}, path = '' } = options;
  const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return send(`${url}/api/v1.0/project/${project}/trigger/${key}${path}`, {
    method,
    headers: {
      ...(secret !== null && { 'x-api-key': secret }),
      ...(payload !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    payload,
  });
}
