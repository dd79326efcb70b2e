import type { WorkBudget } from '../work/work-budget.ts';
import type { JsonObject } from './json.ts';
import type { TokenBinding } from './token.ts';

/** Who is calling, as an auth plugin established it. */
export interface Principal {
  /** Names the caller in runs and logs, e.g. the id of an ApiKey. Never a secret. */
  readonly id: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Ids of the projects that the caller may use, or every project of the organization. */
  readonly projects: ReadonlySet<string> | 'all';
  /** The only triggers that it may use, as `project/key` with the key in lower case. Undefined: all of its projects. */
  readonly triggers?: ReadonlySet<string> | undefined;
  /** Patterns of the origins from which it may call, as in `origins` of an ApiKey. Undefined: from anywhere. */
  readonly origins?: readonly string[] | undefined;
  /** Whether its credential is known to everybody, so that its runs are those of many: each session reads its own. */
  readonly isPublic?: boolean | undefined;
  /** What a token says of the caller. Expressions read those that the config lists, and only these are stored. */
  readonly claims?: JsonObject | undefined;
  /** Which of the caller's secrets was used, for logs and runs: its note, or its place, e.g. `secrets[1]`. Never a secret. */
  readonly credential?: string | undefined;
  /** Identifies the secret of an API key, so that the tokens which it has issued end with it. */
  readonly secretId?: string | undefined;
  /** Set if the credential is a short-lived token: what it is bound to. */
  readonly token?: TokenBinding | undefined;
}

/**
 * What a key can be granted. `project.trigger`: fire, and read or cancel its own runs. `project.runs`: those of others too.
 * `project.token`: issue short-lived tokens.
 */
export const permissions = ['project.trigger', 'project.runs', 'project.token'] as const;
export type Permission = (typeof permissions)[number];

/** A request before its body is read: all that an auth plugin sees. */
export interface RequestHead {
  /** Unique per request; in every error reply and log line. */
  readonly requestId: string;
  /** When the request head arrived, in milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly method: string;
  /** The request target without its query. */
  readonly path: string;
  /** What follows the `?` of the request target, as sent; empty if nothing does. */
  readonly query: string;
  /** Names in lower case. Several fields of one name are joined as RFC 9110 §5.3 says. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The caller's address; behind a proxy only if `server.trustProxy` says so. */
  readonly ip: string;
}

/** One authenticated request to fire a trigger: what filter, dedup and respond plugins see. */
export interface Exchange extends RequestHead {
  readonly project: ProjectInfo;
  readonly trigger: TriggerInfo;
  readonly caller: Principal;
  /** The event that a webhook reports, as its sender describes it; undefined for other callers. */
  readonly event?: EventInfo | undefined;
  /** The body as sent, without its content coding and a byte order mark; undefined when the request had none. */
  readonly bodyText: string | undefined;
  /** What `bodyText` is. Default: `json`. */
  readonly bodyFormat?: 'json' | 'form' | 'text' | undefined;
  /**
   * The members of the body as JSON text, as they were sent: with all digits of their numbers, and without defaults. Absent:
   * that is `bodyText`.
   */
  readonly bodyJson?: string | undefined;
  /**
   * What filters and the agent get: the body's members, with defaults filled in (`environment`, `language`) and without known
   * ones that are null, unless the trigger's `body.fields` is `free`.
   */
  readonly input: TriggerInput;
  /**
   * Whether a number in the input has this value and lost digits, so that it may stand for others too: it identifies nothing.
   * Undefined if none has lost any.
   */
  readonly hasLostDigits?: ((value: number) => boolean) | undefined;
  /** Set if the body is a foreign sender's: no member of the input is Pullcord's. Stored with the run. */
  readonly foreign?: ForeignBody | undefined;
  /** The conversation that the request belongs to, as its caller names it. */
  readonly sessionId?: string | undefined;
  /**
   * The work that may still be done for this request on the event loop, by all stages together. Work whose size depends
   * on the body is paid before it is done. If the budget is exhausted, a filter returns an error, or lets the WorkExhausted
   * through, as a dedup plugin does: the request is answered with `filter_error`, whatever the filter does with other errors.
   */
  readonly work: WorkBudget;
}

/** An event as its sender describes it. Header values are not always signed: a filter should check the body as well. */
export interface EventInfo {
  /** Its type, e.g. `push`. */
  readonly name: string | undefined;
  /** Its id, the same when it is sent again. */
  readonly id: string | undefined;
  /** When it happened, as sent. */
  readonly time: string | undefined;
}

/** What expressions may read of the request that fired a run, as `$request`, `$caller` and `$event`. Stored with the run. */
export interface RunOrigin {
  readonly request: {
    readonly method: string;
    /** Those that the config lists, by names in lower case. */
    readonly headers: Readonly<Record<string, string>>;
    /** Without parameters that are named like credentials. A list for a parameter that is repeated. */
    readonly query: Readonly<Record<string, string | readonly string[]>>;
    readonly ip: string;
  };
  readonly caller: {
    readonly id: string;
    /** Those that the config lists. */
    readonly claims: JsonObject;
  };
  /** The event that a webhook reports; without members for other callers. */
  readonly event: { readonly name?: string; readonly id?: string; readonly time?: string };
  /** Set if the body is a foreign sender's: no member of the input is Pullcord's, whatever its name is. */
  readonly body?: ForeignBody;
  /** Set if an operator has changed the input since: the run is a replay. */
  readonly isEdited?: true;
}

/** The body of a sender that does not know Pullcord (`body: { fields: free }`). */
export interface ForeignBody {
  readonly fields: 'free';
  /** The input as JSON text, if a number in it is not the one that was sent. */
  readonly text?: string;
}

export interface ProjectInfo {
  readonly id: string;
  readonly name: string;
  /** ISO 639-1 code. */
  readonly language: string;
}

export interface TriggerInfo {
  /** As written in YAML; callers may write it in any case. */
  readonly key: string;
  readonly name: string;
}

/**
 * The input of a run. Known members are checked (schemas/trigger-body.schema.json) and others pass through, unless the trigger's
 * `body.fields` is `free`: then any member may be anything.
 */
export type TriggerInput = JsonObject;
