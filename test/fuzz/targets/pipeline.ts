import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConfig } from '../../../src/review/open-config.ts';
import { Rehearsal } from '../../../src/review/rehearsal.ts';
import { writeInto } from '../../support/config-folder.ts';
import { partsOf } from '../engine/mutate.ts';
import { promised, type Target } from '../engine/target.ts';
import { bodySeeds } from './bodies.ts';
import { pipelineFiles, triggerKeys } from './gateway-config.ts';

const maxRequests = 2000;

/**
 * Requests on the pipeline without a socket: a trigger and headers, a line each, an empty line and the body. What is refused
 * stores nothing.
 */
export const pipeline: Target = {
  name: 'pipeline',
  weight: 100,
  shape: 'text and json',
  words: [
    ...triggerKeys,
    '\n',
    'prefer: respond-async',
    'idempotency-key: ',
    'accept: text/event-stream',
    'content-type: text/plain',
  ],
  seeds: () =>
    triggerKeys.flatMap((key) => bodySeeds.map((body) => `${key}\nidempotency-key: ${body.length}\n\n${body}`)),
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'pullcord-fuzz-'));
    for (const [file, text] of Object.entries(pipelineFiles())) await writeInto(root, file, text);
    const opened = await openConfig(root);
    if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
    let rehearsal = new Rehearsal(opened.snapshot);
    let count = 0;
    return {
      async run(input) {
        count += 1;
        // It remembers claims, which must not fill the memory.
        if (count % maxRequests === 0) rehearsal = new Rehearsal(opened.snapshot);
        const [head, body] = partsOf(input);
        const [trigger = '', ...lines] = head.toString('latin1').split('\n');
        const headers = Object.fromEntries(
          lines.map((line) => [line.split(':', 1)[0] ?? '', line.split(': ')[1] ?? '']),
        );
        const {
          verdict,
          by,
          code,
          status,
          input: accepted,
          exchange,
        } = await rehearsal.try({
          ...{ project: 'support', trigger, caller: 'website', receivedAt: count, headers, ip: '127.0.0.1' },
          bodyText: body.length === 0 ? undefined : body.toString(),
        });
        promised(status < 500, `no request is answered ${status}`);
        promised(status < 400 || code !== undefined, 'an error has a code');
        promised(status < 400 || accepted === undefined, 'what is refused is not stored');
        const isRefused = verdict === 'refused' || verdict === 'dropped';
        return {
          kind: isRefused ? 'refused' : 'value',
          code: `${verdict} ${status} ${code ?? ''} ${by ?? ''}`,
          size: body.length,
          ...(exchange !== undefined && { work: { done: exchange.work.spent, limit: exchange.work.limit } }),
        };
      },
      async close() {
        await opened.close();
        await rm(root, { recursive: true });
      },
    };
  },
};
