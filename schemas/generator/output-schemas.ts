import auditEntry from '../source/audit-entry.schema.json' with { type: 'json' };
import explanation from '../source/explanation.schema.json' with { type: 'json' };
import filterTrial from '../source/filter-trial.schema.json' with { type: 'json' };
import history from '../source/history.schema.json' with { type: 'json' };
import keys from '../source/keys.schema.json' with { type: 'json' };
import limits from '../source/limits.schema.json' with { type: 'json' };
import nodes from '../source/nodes.schema.json' with { type: 'json' };
import plan from '../source/plan.schema.json' with { type: 'json' };
import recordedRequest from '../source/recorded-request.schema.json' with { type: 'json' };
import revisions from '../source/revisions.schema.json' with { type: 'json' };
import run from '../source/run.schema.json' with { type: 'json' };
import runCount from '../source/run-count.schema.json' with { type: 'json' };
import status from '../source/status.schema.json' with { type: 'json' };
import tailedRequest from '../source/tailed-request.schema.json' with { type: 'json' };
import testReport from '../source/test-report.schema.json' with { type: 'json' };
import triggers from '../source/triggers.schema.json' with { type: 'json' };

/** A schema of what a command prints. */
export interface OutputSchema {
  readonly title: string;
  readonly description: string;
}

interface Output {
  readonly schema: OutputSchema;
  /** The file with the types made from it, beside the code that prints. */
  readonly types: string;
}

/** What commands print for programs, by the names of the schemas. */
export const outputSchemas = {
  plan: { schema: plan, types: 'src/review/plan/plan-document.gen.ts' },
  'test-report': { schema: testReport, types: 'src/review/test-report.gen.ts' },
  explanation: { schema: explanation, types: 'src/review/explanation.gen.ts' },
  keys: { schema: keys, types: 'src/runtime/keys/keys-document.gen.ts' },
  limits: { schema: limits, types: 'src/runtime/limits/limits-document.gen.ts' },
  'tailed-request': { schema: tailedRequest, types: 'src/runtime/tailed-request.gen.ts' },
  history: { schema: history, types: 'src/observe/history-document.gen.ts' },
  revisions: { schema: revisions, types: 'src/observe/revisions-document.gen.ts' },
  triggers: { schema: triggers, types: 'src/runtime/triggers/triggers-document.gen.ts' },
  'filter-trial': { schema: filterTrial, types: 'src/review/filter-trial.gen.ts' },
  nodes: { schema: nodes, types: 'src/runtime/nodes/nodes-document.gen.ts' },
  'audit-entry': { schema: auditEntry, types: 'src/runtime/audit/audit-entry.gen.ts' },
  status: { schema: status, types: 'src/runtime/status/status-document.gen.ts' },
  run: { schema: run, types: 'src/runtime/run-document.gen.ts' },
  'run-count': { schema: runCount, types: 'src/runtime/run-count.gen.ts' },
  'recorded-request': { schema: recordedRequest, types: 'src/runtime/recording/recorded-request.gen.ts' },
} as const satisfies Readonly<Record<string, Output>>;
