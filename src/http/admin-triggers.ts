import type { FastifyInstance } from 'fastify';
import type { Recordings } from '../engine/types/index.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { filterOf, patchOf, type TriggerChange } from '../runtime/triggers/trigger-patches.ts';
import { findTrigger, listTriggers, viewOf } from '../runtime/triggers/trigger-views.ts';
import { unknownParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';
import type { Review } from './review.ts';

export interface AdminTriggerParts {
  readonly snapshot: () => Pick<Snapshot, 'config' | 'sources' | 'lineOf'>;
  readonly recordings: Recordings | undefined;
  readonly recorder: Pick<Recorder, 'settled'>;
  readonly review: Review | undefined;
  /** The config folder. */
  readonly root: string;
}

interface Named {
  Params: { project: string; key: string };
}

const question = { bodyLimit: 256 * 1024, config: { isQuestion: true, hasBody: true } };
/** How many recorded requests an expression is tried on, and how many triggers a page has. */
const mostTried = 1000;
const page = { usual: 100, most: 1000 };
const longestExpression = 20_000;

/** Triggers for operators: how they serve, what another filter would decide, and patches to commit. */
export function registerTriggers(
  app: FastifyInstance,
  { snapshot, recordings, recorder, review, root }: AdminTriggerParts,
): void {
  app.get<{ Querystring: Record<string, unknown> }>('/triggers', (request, reply) => {
    const { text = '', limit = String(page.usual), after = '' } = request.query;
    const unknown = unknownParameter(request.query, ['text', 'limit', 'after']);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    const count = /^\d{1,4}$/.test(String(limit)) ? Number(limit) : 0;
    if (count < 1 || count > page.most) {
      return sendProblem(reply, request.id, 'bad_request', {
        detail: `limit must be a number from 1 to ${page.most}.`,
      });
    }
    return listTriggers(snapshot(), { text: String(text), limit: count, after: String(after) });
  });
  app.get<Named>('/triggers/:project/:key', (request, reply) => {
    const served = snapshot();
    const trigger = findTrigger(served, request.params.project, request.params.key);
    if (trigger === undefined) return sendProblem(reply, request.id, 'not_found', { detail: 'Trigger not found.' });
    return viewOf(trigger, served.lineOf);
  });
  app.post<Named>('/triggers/:project/:key/patch', question, async (request, reply) => {
    const served = snapshot();
    const trigger = findTrigger(served, request.params.project, request.params.key);
    if (trigger === undefined) return sendProblem(reply, request.id, 'not_found', { detail: 'Trigger not found.' });
    const change = changeIn(request.body);
    if (typeof change === 'string') return sendProblem(reply, request.id, 'bad_request', { detail: change });
    const made = await patchOf(trigger, change, { sources: served.sources, root });
    if (!made.ok) return sendProblem(reply, request.id, 'bad_request', { detail: made.reason });
    const { file, patch, concernsOthers } = made;
    return { file, patch, concernsOthers };
  });
  if (review === undefined) return;
  let isTrying = false;
  app.post('/filters/try', question, async (request, reply) => {
    const { project, trigger: key, filter, expression } = Object(request.body);
    if (
      ![project, key, filter, expression].every((text) => typeof text === 'string') ||
      expression.length > longestExpression
    ) {
      const detail = `Send { project, trigger, filter, expression }, an expression of at most ${longestExpression} characters.`;
      return sendProblem(reply, request.id, 'bad_request', { detail });
    }
    const served = snapshot();
    const trigger = findTrigger(served, project, key);
    const use = trigger && filterOf(trigger, filter);
    if (trigger === undefined || use === undefined) {
      return sendProblem(reply, request.id, 'not_found', {
        detail: 'There is no such trigger, or it has no such filter.',
      });
    }
    if (use.uses !== 'jsonata') {
      return sendProblem(reply, request.id, 'bad_request', {
        detail: `The filter uses ${use.uses}, which has no expression.`,
      });
    }
    const query = { project: trigger.project.id, trigger: trigger.key, order: 'newest', limit: mostTried } as const;
    if (isTrying) {
      return sendProblem(
        reply,
        request.id,
        'unavailable',
        { detail: 'Another filter is being tried.' },
        { 'retry-after': '2' },
      );
    }
    isTrying = true;
    try {
      await recorder.settled();
      const requests = (await recordings?.list(query)) ?? [];
      const tried = await review.tryFilter(served, { trigger, filter, expression, requests });
      if (!tried.ok) return sendProblem(reply, request.id, 'bad_request', { detail: tried.problems.join('\n') });
      return tried.trial;
    } finally {
      isTrying = false;
    }
  });
}

/** What a patch is asked to change, or what is wrong with the question. */
function changeIn(body: unknown): TriggerChange | string {
  const { status, filter, expression, ...others } = Object(body);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `Unknown member ${JSON.stringify(unknown)}.`;
  if (status !== undefined && filter === undefined && expression === undefined) {
    return status === 'active' || status === 'paused' ? { kind: 'status', status } : 'status must be active or paused.';
  }
  if (typeof filter === 'string' && typeof expression === 'string' && expression.length <= longestExpression) {
    return { kind: 'filter', filter, expression };
  }
  return 'Send { status } or { filter, expression }.';
}
