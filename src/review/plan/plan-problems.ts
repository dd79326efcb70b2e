import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place, Problem } from '../../diagnostics/problem.ts';
import { counted } from '../words.ts';
import { detailWords } from './format-plan-text.ts';
import type { BehaviourGroup, Plan } from './plan.ts';

/** A plan as problems, for formats that mark the lines of a pull request: warnings, and what changes as notes. */
export function planProblems(plan: Plan): readonly Problem[] {
  const problems = [
    ...plan.warnings.map(({ code, message, place }) => problem(code, 'warning', message, place)),
    ...plan.structure.flatMap(({ action, details }) =>
      action === 'changed'
        ? details.map((detail) => problem('changed', 'note', detailWords(detail, action), detail.place))
        : [],
    ),
    ...(plan.behaviour?.groups ?? []).flatMap(groupProblem),
    ...plan.witnesses.flatMap(({ filter, found, place }) =>
      found === undefined
        ? []
        : [
            problem(
              'witness',
              'note',
              `counterexample for "${filter}": ${JSON.stringify(found.body)}: ${found.before} → ${found.after}`,
              place,
            ),
          ],
    ),
  ];
  // What many triggers inherit is at one place.
  return [...new Map(problems.map((one) => [JSON.stringify([one.code, one.message, one.place]), one])).values()];
}

function groupProblem({ trigger, before, after, count, place }: BehaviourGroup): readonly Problem[] {
  if (place === undefined) return [];
  const isLoss = before === 'accepted';
  const message = `${counted(count, 'request')} of ${trigger}: ${before} → ${after}`;
  return [problem(isLoss ? 'requests_lost' : 'requests_change', isLoss ? 'warning' : 'note', message, place)];
}

function problem(code: DiagnosticCode, severity: Problem['severity'], message: string, place: Place): Problem {
  return { code, severity, message, place };
}
