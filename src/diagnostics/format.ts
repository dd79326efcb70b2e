import { formatGithub } from './format-github.ts';
import { formatJson } from './format-json.ts';
import { formatSarif } from './format-sarif.ts';
import { formatText } from './format-text.ts';
import type { FormatOptions } from './formats.ts';
import { locateProblems } from './located-problem.ts';
import type { Problem } from './problem.ts';
import type { Sources } from './source.ts';

/** Prints problems by file and position. Ends with a newline; `text` and `github` are empty if there are none. */
export function formatProblems(problems: readonly Problem[], sources: Sources, options: FormatOptions): string {
  const located = locateProblems(problems, sources);
  switch (options.format) {
    case 'text':
      return formatText(located, sources, options.color ?? false);
    case 'json':
      return formatJson(located);
    case 'github':
      return formatGithub(located, options);
    case 'sarif':
      return formatSarif(located, options);
  }
}
