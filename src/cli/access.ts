import type { JsonObject } from '../contract/index.ts';
import type { AuditFilter, ExportedAudit, ListedAudit } from '../runtime/audit/audit-operations.ts';
import type { LimitFilter, ListedLimits, ResetLimit } from '../runtime/limits/limit-operations.ts';
import type { NodesDocument } from '../runtime/nodes/nodes-document.gen.ts';
import type { ExportedRequests, ListedRequests, RequestFilter } from '../runtime/recording/request-operations.ts';
import type { CancelledRun, ListedRuns, ReplayedRun, RunFilter } from '../runtime/run-operations.ts';

/** The runs, recorded requests, limits, nodes and audit trail of a gateway, whether it is running or not. */
export interface GatewayAccess {
  readonly runs: RunsAccess;
  readonly requests: RequestsAccess;
  readonly limits: LimitsAccess;
  readonly nodes: NodesAccess;
  readonly audit: AuditAccess;
  close(): Promise<void>;
}

export interface RunsAccess {
  list(filter: RunFilter): Promise<ListedRuns>;
  show(id: string): Promise<JsonObject | undefined>;
  cancel(id: string): Promise<CancelledRun>;
  replay(id: string): Promise<ReplayedRun>;
}

export interface LimitsAccess {
  list(filter: LimitFilter): Promise<ListedLimits>;
  reset(limit: string, value: string | undefined): Promise<ResetLimit>;
}

export interface NodesAccess {
  list(): Promise<NodesDocument>;
}

export interface AuditAccess {
  list(filter: AuditFilter): Promise<ListedAudit>;
  export(filter: AuditFilter): Promise<ExportedAudit>;
}

export interface RequestsAccess {
  list(filter: RequestFilter): Promise<ListedRequests>;
  show(id: string): Promise<JsonObject | undefined>;
  export(filter: RequestFilter): Promise<ExportedRequests>;
}
