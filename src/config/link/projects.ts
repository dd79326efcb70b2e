import { suggest } from '../../diagnostics/closest.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import { leastMemoryBytes, mostPerByte } from '../least-memory.ts';
import { type DocumentSet, errorAt } from './document-set.ts';
import { duplicates } from './duplicates.ts';

/** A config folder has exactly one Gateway. */
export function gatewayProblems(documents: DocumentSet): readonly Problem[] {
  const { gateways, root } = documents;
  if (gateways.length === 0 && !documents.mayDeclare('Gateway')) {
    const hint = 'Add a file with `version: 1`, `kind: Gateway` and `organization`, or see `pullcord init`.';
    return [errorAt(root, '', 'missing_gateway', 'no file declares the Gateway', hint)];
  }
  const claims = gateways.map(({ file }) => ({ identity: 'gateway', place: { file, pointer: '/kind' } }));
  const hint = 'One folder configures one gateway: keep one of the files.';
  return duplicates(claims, documents, { code: 'duplicate_gateway', what: 'a Gateway', hint });
}

/** `server.memory` must have room for a body at `server.bodyLimit`. */
export function memoryProblems({ gateways }: DocumentSet): readonly Problem[] {
  return gateways.flatMap(({ file, document: { server } }) => {
    const least = leastMemoryBytes(server.bodyLimit);
    if (server.memory === undefined || server.memory >= least) return [];
    const message = `must be at least ${Math.ceil(least / 1024)}KiB: a parsed body takes up to ${mostPerByte} times its bytes`;
    const hint = 'Raise server.memory, or lower server.bodyLimit.';
    return [errorAt(file, '/server/memory', 'out_of_range', message, hint)];
  });
}

/** Project ids are unique. */
export function projectProblems(documents: DocumentSet): readonly Problem[] {
  const claims = documents.projects.map(({ file, document }) => ({
    identity: document.id,
    place: { file, pointer: '/id' },
  }));
  const hint = 'Give one of the projects another id.';
  return duplicates(claims, documents, { code: 'duplicate_project', what: 'a project with this id', hint });
}

/** Reports that no project has this id, unless a faulty file may declare it. */
export function unknownProject(documents: DocumentSet, id: string, file: string, pointer: string): readonly Problem[] {
  const ids = documents.projects.map(({ document }) => document.id);
  if (ids.includes(id) || documents.mayDeclare('Project', id)) return [];
  return [errorAt(file, pointer, 'unknown_project', `there is no project "${id}"`, suggest(id, ids, 'projects'))];
}
