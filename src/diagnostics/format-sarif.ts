import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type DiagnosticCode, diagnosticCodes } from './codes.ts';
import type { FormatOptions } from './formats.ts';
import type { Range } from './locate.ts';
import type { LocatedProblem } from './located-problem.ts';
import { repositoryPath } from './repository-path.ts';

type SarifOptions = Pick<FormatOptions, 'root' | 'version'>;

/** SARIF's conventional name for the root of the repository, wherever it is checked out (§3.14.14). */
const rootId = '%SRCROOT%';

/** Prints SARIF 2.1.0, which code scanning services read. */
export function formatSarif(problems: readonly LocatedProblem[], { root, version }: SarifOptions): string {
  const codes = [...new Set(problems.map((problem) => problem.code))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'pullcord', version, rules: codes.map(rule) } },
        columnKind: 'utf16CodeUnits',
        ...(root !== undefined && {
          originalUriBaseIds: { [rootId]: { description: { text: 'The root of the repository.' } } },
        }),
        results: problems.map((problem) => result(problem, codes.indexOf(problem.code), root)),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

/** GitHub wants all three texts, and shows each in another place. */
function rule(id: DiagnosticCode): object {
  const text = diagnosticCodes[id];
  return { id, shortDescription: { text }, fullDescription: { text }, help: { text } };
}

function result(
  { range, place, code, severity, message, hint }: LocatedProblem,
  ruleIndex: number,
  root: string | undefined,
): object {
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text: hint === undefined ? message : `${message}\nhint: ${hint}` },
    locations: [
      { physicalLocation: { artifactLocation: artifact(place.file, root), ...(range && { region: region(range) }) } },
    ],
  };
}

/** Where only a point is known the end is left out: a region without one goes on to the end of its line (§3.30.8). */
function region({ start, end }: Range): object {
  return {
    startLine: start.line,
    startColumn: start.column,
    ...(end.offset > start.offset && { endLine: end.line, endColumn: end.column }),
  };
}

function artifact(file: string, root: string | undefined): object {
  if (root === undefined) return { uri: encodePath(file) };
  const path = repositoryPath(file, root);
  return path === undefined ? { uri: pathToFileURL(resolve(file)).href } : { uri: encodePath(path), uriBaseId: rootId };
}

/** As a URI reference, which is relative if the path is. */
function encodePath(file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}
