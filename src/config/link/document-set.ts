import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import { describeLine } from '../../diagnostics/describe-place.ts';
import type { Place, Problem } from '../../diagnostics/problem.ts';
import type { Sources } from '../../diagnostics/source.ts';
import type { CheckedFile } from '../check-file.ts';
import type {
  AlertTestFileDocument,
  ApiKeyDocument,
  ConfigDocument,
  GatewayDocument,
  PricesDocument,
  ProjectDocument,
  TriggerDocument,
  TriggerTestFileDocument,
} from '../documents.gen.ts';
import type { Kind } from '../kinds.ts';
import { triggerId } from '../trigger-key.ts';

export interface FileInConfig {
  readonly file: string;
  readonly checked: CheckedFile;
}

export interface LinkContext {
  /** The config folder, as the user gave it. */
  readonly root: string;
  readonly revision: string;
  readonly sources: Sources;
  /** False if a file could not be read. */
  readonly isComplete: boolean;
}

/** A document without faults of its own, and its file. */
export interface InFile<Document> {
  readonly file: string;
  readonly document: Document;
}

/** The documents of a config by kind, in the order of their files. */
export interface DocumentSet {
  readonly root: string;
  readonly gateways: readonly InFile<GatewayDocument>[];
  readonly apiKeys: readonly InFile<ApiKeyDocument>[];
  readonly projects: readonly InFile<ProjectDocument>[];
  readonly triggers: readonly InFile<TriggerDocument>[];
  readonly prices: readonly InFile<PricesDocument>[];
  readonly triggerTests: readonly InFile<TriggerTestFileDocument>[];
  readonly alertTests: readonly InFile<AlertTestFileDocument>[];
  /** The TriggerTest files of a trigger. */
  testsOf(trigger: InFile<TriggerDocument>): readonly InFile<TriggerTestFileDocument>[];
  /** Whether a faulty or unreadable file may declare what is missing. */
  mayDeclare(kind: Kind, id?: string): boolean;
  /** Describes a place: `file:line`. */
  describe(place: Place): string;
}

export function documentsOf(files: readonly FileInConfig[], { root, sources, isComplete }: LinkContext): DocumentSet {
  const sound = files.flatMap(({ file, checked: { document } }) => (document ? [{ file, document }] : []));
  const faulty = files.flatMap(({ checked }) => (checked.document ? [] : [checked.claims]));
  const ofKind = <K extends Kind>(kind: K): readonly InFile<Extract<ConfigDocument, { kind: K }>>[] =>
    sound.flatMap(({ file, document }) => (isOfKind(document, kind) ? [{ file, document }] : []));
  const triggerTests = ofKind('TriggerTest');
  const testsByTrigger = Map.groupBy(triggerTests, ({ document }) => triggerId(document.project, document.trigger));
  return {
    root,
    gateways: ofKind('Gateway'),
    apiKeys: ofKind('ApiKey'),
    projects: ofKind('Project'),
    triggers: ofKind('Trigger'),
    prices: ofKind('Prices'),
    triggerTests,
    alertTests: ofKind('AlertTest'),
    testsOf: ({ document }) => testsByTrigger.get(triggerId(document.project, document.key)) ?? [],
    mayDeclare: (kind, id) =>
      !isComplete ||
      faulty.some((claims) => {
        if (claims.kind === undefined) return id === undefined;
        return claims.kind === kind && (id === undefined || claims.id === undefined || claims.id === id);
      }),
    describe: (place) => describeLine(place, sources),
  };
}

/** Returns an error at a place in a file. */
export function errorAt(file: string, pointer: string, code: DiagnosticCode, message: string, hint?: string): Problem {
  return { code, severity: 'error', message, ...(hint !== undefined && { hint }), place: { file, pointer } };
}

function isOfKind<K extends Kind>(document: ConfigDocument, kind: K): document is Extract<ConfigDocument, { kind: K }> {
  return document.kind === kind;
}
