import type { Problem } from '../../diagnostics/problem.ts';
import { deepFreeze } from '../../schema/deep-freeze.ts';
import type { Config } from '../model.ts';
import { buildConfig } from './build-config.ts';
import { documentsOf, type FileInConfig, type LinkContext } from './document-set.ts';
import { exposureProblems } from './exposure.ts';
import { keyProblems } from './keys.ts';
import { gatewayProblems, projectProblems } from './projects.ts';
import { StageResolver } from './stage-resolver.ts';
import { triggerProblems } from './triggers.ts';

export interface Linked {
  /** Undefined if anything is wrong. */
  readonly config: Config | undefined;
  /** What could be put together all the same, fit for finding more problems and for nothing else. */
  readonly partial: Config | undefined;
  readonly problems: readonly Problem[];
}

/** Checks what no file can tell alone, and puts all files together into one frozen config. */
export function link(files: readonly FileInConfig[], context: LinkContext): Linked {
  const documents = documentsOf(files, context);
  const stages = new StageResolver(documents);
  const found = [
    ...gatewayProblems(documents),
    ...projectProblems(documents),
    ...keyProblems(documents),
    ...exposureProblems(documents),
    ...triggerProblems(documents, stages),
  ];
  const built = deepFreeze(buildConfig(documents, stages, context.revision));
  // Stages are checked as they are resolved, and the last of them just now.
  const problems = [...found, ...stages.problems];
  const isFaulty = problems.length > 0 || files.some(({ checked }) => checked.document === undefined);
  return { config: isFaulty ? undefined : built, partial: built, problems };
}
