import type { FastifyInstance } from 'fastify';
import type { Recordings } from '../engine/types/index.ts';
import type { Revisions } from '../observe/revisions.ts';
import type { RevisionsDocument } from '../observe/revisions-document.gen.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import { unknownParameter, wrongParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';
import type { Review } from './review.ts';

export interface AdminRevisionParts {
  readonly node: { readonly name: string };
  readonly revisions: Revisions;
  readonly review: Review | undefined;
  readonly recordings: Recordings | undefined;
  readonly recorder: Pick<Recorder, 'settled'>;
}

/** How many recorded requests a plan is made over. */
const mostPlanned = 1000;

/** What has served and what was refused, for operators, and what a change between two revisions means. */
export function registerRevisions(app: FastifyInstance, parts: AdminRevisionParts): void {
  const { node, revisions, review, recordings, recorder } = parts;
  app.get<{ Querystring: Record<string, unknown> }>('/revisions', (request, reply) => {
    const unknown = unknownParameter(request.query, []);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    return {
      node: node.name,
      served: [...revisions.served],
      refused: [...revisions.refused],
    } satisfies RevisionsDocument;
  });
  if (review === undefined) return;
  let isPlanning = false;
  app.get<{ Querystring: Record<string, string> }>('/plan', async (request, reply) => {
    const wrong = wrongParameter(request.query, { texts: ['from', 'to'] });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    const { from = '', to = '' } = request.query;
    const [before, after] = [revisions.filesOf(from), revisions.filesOf(to)];
    if (before === undefined || after === undefined) {
      const detail = 'Name two revisions of /revisions whose files are still kept: from and to.';
      return sendProblem(reply, request.id, 'not_found', { detail });
    }
    if (isPlanning) {
      return sendProblem(reply, request.id, 'unavailable', { detail: 'A plan is being made.' }, { 'retry-after': '5' });
    }
    isPlanning = true;
    try {
      await recorder.settled();
      const newest = (await recordings?.list({ order: 'newest', limit: mostPlanned })) ?? [];
      const [base, head] = [
        { label: from, files: before },
        { label: to, files: after },
      ];
      const planned = await review.plan(base, head, newest.toReversed());
      if (!planned.ok) return sendProblem(reply, request.id, 'bad_request', { detail: planned.reason });
      return reply.type('application/json; charset=utf-8').send(planned.json);
    } finally {
      isPlanning = false;
    }
  });
}
