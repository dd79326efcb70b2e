import { basicFiles, gatewayFile, triggerFile } from '../../support/config-folder.ts';

/** A config with a trigger of each kind that requests can end at. */
export function pipelineFiles(): Record<string, string> {
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { port: 0, bodyLimit: '32KiB' } }),
    'triggers/echo.yaml': triggerFile('echo'),
    'triggers/once.yaml': triggerFile('once', { dedup: 'body' }),
    'triggers/keyed.yaml': triggerFile('keyed', { dedup: 'idempotency-key' }),
    'triggers/pros.yaml': triggerFile('pros', { filter: 'customer.plan = "pro" or $count(*) > 3' }),
    'triggers/strict.yaml': triggerFile('strict', {
      filter: [{ uses: 'json-schema', with: { schema: { required: ['customer'] } } }],
    }),
    'triggers/stream.yaml': triggerFile('stream', { respond: { uses: 'stream' } }),
    'triggers/paused.yaml': triggerFile('paused', { status: 'paused' }),
  };
}

export const triggerKeys = ['echo', 'once', 'keyed', 'pros', 'strict', 'stream', 'paused'];
