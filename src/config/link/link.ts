import type { Problem } from '../../diagnostics/problem.ts';
import { deepFreeze } from '../../schema/deep-freeze.ts';
import type { ApiKeyConfig, Config } from '../model.ts';
import { adminProblems } from './admin.ts';
import { alertTestProblems } from './alert-tests.ts';
import { alertProblems } from './alerts.ts';
import { apiKeyConfig, buildConfig } from './build-config.ts';
import { debounceProblems, unusedResponds } from './debounce.ts';
import { documentsOf, type FileInConfig, type LinkContext } from './document-set.ts';
import { exposureProblems } from './exposure.ts';
import { keyProblems } from './keys.ts';
import { limitProblems } from './limits.ts';
import { pricesProblems } from './prices.ts';
import { gatewayProblems, memoryProblems, projectProblems } from './projects.ts';
import { resolveStages } from './resolve-stages.ts';
import { triggerProblems } from './triggers.ts';

export interface Linked {
  /** Undefined if there is any error. */
  readonly config: Config | undefined;
  /** The part that could be built despite problems: only for finding more of them. */
  readonly partial: Config | undefined;
  /** Those that are declared by files without faults of their own, also without a Gateway. */
  readonly apiKeys: readonly ApiKeyConfig[];
  readonly problems: readonly Problem[];
}

/** Checks what concerns several files, and links all files into one frozen config. */
export async function link(files: readonly FileInConfig[], context: LinkContext): Promise<Linked> {
  const documents = documentsOf(files, context);
  const resolved = await resolveStages(documents);
  const problems = [
    ...gatewayProblems(documents),
    ...memoryProblems(documents),
    ...projectProblems(documents),
    ...pricesProblems(documents),
    ...keyProblems(documents),
    ...limitProblems(documents, { hasPrices: documents.prices.length > 0 || documents.mayDeclare('Prices') }),
    ...alertProblems(documents),
    ...alertTestProblems(documents),
    ...exposureProblems(documents),
    ...adminProblems(documents),
    ...debounceProblems(documents),
    ...unusedResponds(documents, resolved),
    ...(await triggerProblems(documents, resolved)),
    ...resolved.problems,
  ];
  const built = deepFreeze(await buildConfig(documents, resolved, context.revision));
  const isFaulty =
    problems.some(({ severity }) => severity === 'error') ||
    files.some(({ checked }) => checked.document === undefined);
  return {
    config: isFaulty ? undefined : built,
    partial: built,
    apiKeys: built?.apiKeys ?? deepFreeze(documents.apiKeys.map(apiKeyConfig)),
    problems,
  };
}
