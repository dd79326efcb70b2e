import type { Problem } from '../../diagnostics/problem.ts';
import { type DocumentSet, errorAt } from './document-set.ts';
import { duplicates } from './duplicates.ts';
import {
  gatewayLimits,
  keyLimits,
  type LimitList,
  limitsOf,
  projectLimits,
  readLimit,
  triggerLimits,
} from './limit-config.ts';

/**
 * Each limit counts one thing, in a way that fits it, and no other one of its list counts the same.
 * @param hasPrices whether the config says what tokens cost
 */
export function limitProblems(
  documents: DocumentSet,
  { hasPrices }: { readonly hasPrices: boolean },
): readonly Problem[] {
  return listsOf(documents).flatMap((list) => [
    ...faults(list),
    ...repetitions(list, documents),
    ...(hasPrices ? [] : unpriced(list)),
  ]);
}

/** All lists of limits. */
export function listsOf({ gateways, projects, triggers, apiKeys }: DocumentSet): readonly LimitList[] {
  return [
    ...gateways.map(gatewayLimits),
    ...projects.map(projectLimits),
    ...triggers.map(triggerLimits),
    ...apiKeys.map(keyLimits),
  ];
}

function faults(list: LimitList): readonly Problem[] {
  return list.limits.flatMap((_document, index) => {
    const read = readLimit(list, index);
    if (read.ok) return [];
    return read.faults.map(({ field, message, hint }) => {
      const pointer = `/limits/${index}${field === '' ? '' : `/${field}`}`;
      return errorAt(list.file, pointer, 'bad_limit', message, hint);
    });
  });
}

/** Two that count the same would count everything twice; an answer could not distinguish two of one name. */
function repetitions(list: LimitList, documents: DocumentSet): readonly Problem[] {
  const limits = limitsOf(list);
  const same = duplicates(
    limits.map(({ id, place }) => ({ identity: id, place })),
    documents,
    {
      code: 'duplicate_limit',
      what: 'a limit that counts the same',
      hint: 'Remove one of them, or give each a name of its own.',
    },
  );
  const named = duplicates(
    limits.map(({ name, place }) => ({ identity: name, place })),
    documents,
    { code: 'duplicate_limit', what: 'a limit with this name', hint: 'Give each a name of its own.' },
  );
  const reported = new Set(same.map(({ place }) => place));
  return [...same, ...named.filter(({ place }) => !reported.has(place))];
}

/** Without prices, nothing would ever be counted of a budget: one that is to refuse runs would protect nobody. */
function unpriced({ file, limits }: LimitList): readonly Problem[] {
  return limits.flatMap(({ cost, mode }, index): Problem[] => {
    if (cost === undefined) return [];
    const hint = 'Declare what tokens cost in a file with `kind: Prices`, or limit tokens.';
    const problem = errorAt(file, `/limits/${index}/cost`, 'missing_prices', 'nothing says what a run costs', hint);
    return [mode === 'shadow' ? { ...problem, severity: 'warning' } : problem];
  });
}
