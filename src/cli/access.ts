import type { JsonObject } from '../contract/index.ts';
import type { AuditFilter, ExportedAudit, ListedAudit } from '../runtime/audit/audit-operations.ts';
import type { LimitFilter, ListedLimits, ResetLimit } from '../runtime/limits/limit-operations.ts';
import type { NodesDocument } from '../runtime/nodes/nodes-document.gen.ts';
import type { FiredRequest, FireOptions } from '../runtime/recording/fire-operations.ts';
import type { ExportedRequests, ListedRequests, RequestFilter } from '../runtime/recording/request-operations.ts';
import type { CancelledRun, ListedRuns, RunFilter } from '../runtime/run-operations.ts';
import type { ReplayedRun, ReplayOptions } from '../runtime/run-replays.ts';
import type { StatusDocument } from '../runtime/status/status-document.gen.ts';

/** The runs, recorded requests, limits, nodes and audit trail of a gateway, whether it is running or not. */
export interface GatewayAccess {
  readonly runs: RunsAccess;
  readonly requests: RequestsAccess;
  readonly limits: LimitsAccess;
  readonly nodes: NodesAccess;
  readonly audit: AuditAccess;
  readonly alerts: AlertsAccess;
  readonly status: StatusAccess;
  close(): Promise<void>;
}

export interface RunsAccess {
  list(filter: RunFilter): Promise<ListedRuns>;
  show(id: string): Promise<JsonObject | undefined>;
  cancel(id: string): Promise<CancelledRun>;
  replay(id: string, options?: ReplayOptions): Promise<ReplayedRun>;
}

export interface LimitsAccess {
  list(filter: LimitFilter): Promise<ListedLimits>;
  reset(limit: string, value: string | undefined): Promise<ResetLimit>;
}

export interface AlertsAccess {
  list(): Promise<readonly JsonObject[]>;
  /** What the receivers of the alert answer; undefined: there is no such alert. */
  test(name: string): Promise<readonly JsonObject[] | undefined>;
}

export interface NodesAccess {
  list(): Promise<NodesDocument>;
}

export interface AuditAccess {
  list(filter: AuditFilter): Promise<ListedAudit>;
  export(filter: AuditFilter): Promise<ExportedAudit>;
}

export interface StatusAccess {
  read(): Promise<StatusDocument>;
}

export interface RequestsAccess {
  list(filter: RequestFilter): Promise<ListedRequests>;
  show(id: string): Promise<JsonObject | undefined>;
  export(filter: RequestFilter): Promise<ExportedRequests>;
  /** Undefined: there is no such recording, or no longer. */
  fire(id: string, options: FireOptions): Promise<FiredRequest | undefined>;
}
