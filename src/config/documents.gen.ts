// Generated from schemas/source/ by schemas/generate.ts. Do not edit.
import type {JsonObject, SecretReference} from '../contract/index.ts';

/**
 * A config file.
 */
export type ConfigDocument =
  | GatewayDocument
  | ApiKeyDocument
  | ProjectDocument
  | TriggerDocument
  | TriggerTestFileDocument
  | AlertTestFileDocument
  | PricesDocument;
/**
 * How much may be used, and by whom. All limits that apply must have room: those of the gateway, the project, the trigger and the API key. A request that one of them refuses takes nothing from the others; it is answered 429 `rate_limited`.
 */
export type LimitsDocument = LimitDocument[];
/**
 * Who may call. Of several, the first whose credential a request carries decides.
 */
export type AuthDocument = StageDocument | [StageDocument, ...StageDocument[]];
/**
 * Which requests concern the agent. All filters must pass; the first that fails names the drop. A string is one jsonata filter.
 */
export type FilterDocument = string | NamedFilterDocument | NamedFilterDocument[];
/**
 * What makes a request a duplicate. A string is the name of a plugin without options. Absent: every request is accepted.
 */
export type DedupDocument = string | StageDocument;
/**
 * How many runs of the trigger may be executed at once; further ones are queued. Default: only the engine's limit applies.
 */
export type ConcurrencyDocument = number | ConcurrencyPerDocument;
/**
 * What is kept about a run after it has ended: all, neither input nor output, or nothing. A dedup claim is kept in any case.
 */
export type RecordDocument = ('full' | 'metadata' | 'none') | RecordPolicyDocument;
/**
 * Requests and their expected verdicts, run by `pullcord test`.
 */
export type TriggerTestsDocument = TriggerTestDocument[];
/**
 * The tests. Each begins with nothing counted and no alert.
 */
export type AlertTestsDocument = AlertTestDocument[];

/**
 * The gateway of an organization. A config folder has exactly one.
 */
export interface GatewayDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'Gateway';
  /**
   * Id of the organization that this config folder describes.
   */
  organization: string;
  /**
   * For people who read this file.
   */
  description?: string;
  /**
   * The public listener, where triggers are fired.
   */
  server: {
    /**
     * Address to listen on.
     */
    host: string;
    /**
     * Port to listen on; 0 takes a free one.
     */
    port: number;
    /**
     * Prefix of every path of the public API; `/` for none.
     */
    basePath: string;
    /**
     * The largest accepted request body, at most 64MiB. In bytes.
     */
    bodyLimit: number;
    /**
     * How much memory bodies, the inputs, outputs and deltas of runs, and replies may take together. Beyond it requests are answered 503 (backpressure). A parsed body takes up to 41 times its bytes, most take less than 10 times: at least 47 times `bodyLimit`. Default: half of what Node's heap may grow to. In bytes.
     */
    memory?: number;
    /**
     * Whether X-Forwarded-For is trusted: from every peer (true), from none (false), or from these addresses, networks or the names loopback, linklocal, uniquelocal.
     */
    trustProxy: boolean | string | [string, ...string[]];
    /**
     * How long a client may take to send a whole request. In milliseconds.
     */
    requestTimeout: number;
    /**
     * How long a gateway that is to stop still serves while `/readyz` fails already, so that a load balancer stops sending requests to it: set it to longer than the interval of the health checks. Responses meanwhile end their connections. In milliseconds.
     */
    shutdownDelay: number;
    /**
     * How long a shutdown waits for running requests and runs (graceful drain). In milliseconds.
     */
    drainTimeout: number;
  };
  /**
   * The admin listener: health, metrics and config state. Never on the public port.
   */
  admin: {
    /**
     * Address to listen on. Any except loopback requires a token: `tokens`, or `token`.
     */
    host: string;
    /**
     * Port to listen on; 0 takes a free one.
     */
    port: number;
    /**
     * The bearer tokens that requests to the admin listener may carry. With at least one, or `token`, every request except `/livez` and `/readyz` needs one.
     */
    tokens: AdminTokenDocument[];
    /**
     * Names under which the admin listener answers, beside `host`, loopback names and IP addresses: what `Host` must be, without a port. They need a token.
     */
    hosts: string[];
    /**
     * A bearer token with the role `operate`, which is written elsewhere. Its id is `token`.
     */
    token?: SecretReference;
  };
  tokens?: TokensDocument;
  /**
   * The scope in which a trigger key must be unique.
   */
  triggerKeys: {
    /**
     * In the whole organization, or only within a project.
     */
    unique: 'organization' | 'project';
  };
  engine: EngineDocument;
  /**
   * What the gateway itself may call (SSRF protection).
   */
  outbound: {
    /**
     * Private, loopback and link-local targets that the gateway may call, for agents, callbacks and everything else: a host, host:port, IP address or network. A name is allowed whatever address it resolves to.
     */
    allow: string[];
  };
  recording?: RecordingDocument;
  limits: LimitsDocument;
  alerts?: AlertsDocument;
  /**
   * Extra plugins: a path that starts with `./`, `../` or `/`, or the name of an installed package.
   */
  plugins: string[];
  /**
   * Stages of triggers where neither the trigger nor its project declares one.
   */
  defaults: {
    auth: AuthDocument;
    filter?: FilterDocument;
    dedup?: DedupDocument;
    run?: RunStageDocument;
    respond: StageDocument;
    body?: BodyDocument;
    record?: RecordDocument;
    sessions?: SessionsDocument;
    callback?: CallbackDocument;
    cors?: CorsDocument;
    debounce?: DebounceDocument;
  };
}
/**
 * One token, as `pullcord keys create --admin` writes it.
 */
export interface AdminTokenDocument {
  /**
   * Names the token in the audit trail. Unique among the tokens.
   */
  id: string;
  /**
   * What it may do. `read`: read everything. `operate`: also change something, such as to cancel and replay runs, fire recorded requests, reload the config and reset limits.
   */
  role: 'read' | 'operate';
  /**
   * `sha256:` and the SHA-256 digest of the token, 64 hex digits in lower case.
   */
  hash: string;
  /**
   * From when the token is rejected: a day (from 00:00 UTC) or a time with its zone.
   */
  expires?: string;
  /**
   * For people who read this file. Never the token itself.
   */
  note?: string;
}
/**
 * Short-lived tokens, which API keys with the permission `project.token` issue. Without it there are none.
 */
export interface TokensDocument {
  /**
   * The secrets that sign tokens, of at least 32 bytes. The first signs, all of them verify: to replace one, put the new one first, and remove the old one a day later.
   *
   * @minItems 1
   */
  secrets: [SecretReference, ...SecretReference[]];
}
/**
 * The engine, which keeps runs, dedup claims and conversations, and executes runs.
 */
export interface EngineDocument {
  /**
   * Name of the engine.
   */
  uses: string;
  /**
   * Options of the engine.
   */
  with?: JsonObject;
}
/**
 * Which requests that passed auth are kept, so that they can be found and explained, and a change of config can be tried on them before it is merged. Without it, those that were dropped, limited or failed. Headers with credentials and values under names like `password` are never stored.
 */
export interface RecordingDocument {
  /**
   * The sampling rate, whatever becomes of a request: 0 for none (the default), 1 for all, 0.01 for one in a hundred, chosen at random.
   */
  rate?: number;
  /**
   * Whether those are kept in addition that a filter dropped or could not judge, a limit refused, the engine had no room for, or whose caller waited for a run that failed; of a flood of them only some. By default true. Without `record: full`, without what the caller sent.
   */
  refused?: boolean;
  /**
   * How many are kept, the latest; short for one of its fields: a number is a count, a duration an age.
   */
  keep?: number | string | RecordingBoundsDocument;
  /**
   * JSON pointers into the body: their values are masked before anything is stored. Without an index, one leads into every item of a list; a string that holds JSON is masked as a whole. Those of `record` are masked as well, and those of a trigger in addition to the gateway's.
   */
  mask?: string[];
}
/**
 * All limits apply at once.
 */
export interface RecordingBoundsDocument {
  /**
   * The largest number: by default 10,000 for the gateway, for a trigger its share of those.
   */
  count?: number;
  /**
   * The longest time: by default 7d. In milliseconds.
   */
  age?: number;
  /**
   * The largest total size of headers and bodies, at most 16GiB: by default 64MiB. Only for the gateway. In bytes.
   */
  size?: number;
}
/**
 * How much of something fits into a window of time. It counts exactly one of `requests`, `runs`, `tokens` and `cost`.
 */
export interface LimitDocument {
  /**
   * Requests of callers that may fire, whether or not they are accepted: an amount and a period. Counted before the body is read, by each gateway for itself, in memory. `1d` is a day of the calendar; any other period, `24h` too, begins with the first request.
   */
  requests?: string;
  /**
   * Accepted runs: an amount and a period. `1d` and `1mo` are a day and a month of the calendar; any other period, `24h` and `30d` too, begins with the first run.
   */
  runs?: string;
  /**
   * Tokens that runs consume: an amount and a period.
   */
  tokens?: string;
  /**
   * What runs cost, in the currency of the prices: an amount, at most nine decimals, and a period.
   */
  cost?: string;
  /**
   * What is counted apart: `key` (the caller), `ip` (a prefix for IPv6), `session`, `trigger`, `project`, or a JSONata expression over the input, `$request`, `$caller.id` and `$event`. `requests` are counted before the body is read: not per session, and not by an expression over the input. Default: everything together.
   */
  per?: string;
  /**
   * How many at once; the others are spread evenly over the period. Only for `requests` and `runs`, not by `1d` and `1mo`, and at most the amount. Default: the whole amount may be used at once.
   */
  burst?: number;
  /**
   * `shadow` counts, and logs what it would have refused.
   */
  mode: 'enforce' | 'shadow';
  /**
   * The zone in which days and months begin, for `1d` and `1mo`. Default: UTC.
   */
  zone?: string;
  /**
   * Names the limit in answers and logs, in printable ASCII. Unique in its list. A limit with another name starts to count anew. Default: what it says, e.g. `60 runs/1m per key`.
   */
  name?: string;
  /**
   * What a run is expected to take, of `tokens` or `cost`: it counts while it runs, and if it reports nothing. Default: what recent runs of the trigger took.
   */
  estimate?: number;
  /**
   * How many values of `per` are counted apart; all further ones share one counter.
   */
  values: number;
}
/**
 * When the gateway alerts people, and where it sends the alerts. Each rule is evaluated once for all nodes of a cluster. A message is sent when an alert fires and when it is resolved, and not in between.
 */
export interface AlertsDocument {
  /**
   * The receivers. Without any, alerts are shown by `pullcord alerts list`, `pullcord status` and the metrics alone.
   */
  to: AlertReceiverDocument[];
  /**
   * How often the rules are evaluated. In milliseconds.
   */
  interval: number;
  /**
   * The rules. Each can have several alerts at a time: one for each trigger, limit or key that it is about.
   */
  rules: AlertRuleDocument[];
}
/**
 * A receiver of alerts. Redirects are not followed; private, loopback and link-local addresses must be listed in `outbound.allow`.
 */
export interface AlertReceiverDocument {
  /**
   * Names the receiver in rules and logs. Default: `receiver 1`, `receiver 2` and so on.
   */
  name?: string;
  /**
   * `standard`: a message signed as Standard Webhooks specifies, of type `alert.firing` or `alert.resolved`. `slack`: what incoming webhooks of Slack, Mattermost and the like accept.
   */
  format: 'standard' | 'slack';
  /**
   * URL of the receiver. One that holds a token, such as those of Slack, is a secret: `{ env }` or `{ file }`.
   */
  url: string | SecretReference;
  /**
   * The signing secret of a receiver of Standard Webhooks: `whsec_` and base64, or any other text. Required for `standard`, and not allowed for `slack`.
   */
  secret?: SecretReference;
}
/**
 * What is watched, and when that is worth an alert. `when` alone is a rule: all else has defaults.
 */
export interface AlertRuleDocument {
  /**
   * Names the alert in messages, metrics, tests and commands. Unique. Default: the kind, with what it is limited to, e.g. `failures support/ask`.
   */
  name?: string;
  /**
   * What is watched. `failures`: the share of runs that fail. `silence`: nothing is accepted. `drops`: the share of requests that filters drop has risen with a reload of the config. `latency`: requests or attempts take long. `budget`: a limit is nearly used up. `expiry`: a secret of an API key expires soon. `reload`: the config on disk is refused. `queue`: the queue is nearly full, or refuses runs. `circuit`: the queue of a trigger is held because its agent is down.
   */
  when: 'failures' | 'silence' | 'drops' | 'latency' | 'budget' | 'expiry' | 'reload' | 'queue' | 'circuit';
  /**
   * The value from which on the alert fires. `failures`: a share of runs, default `20%`. `drops`: by how many percentage points the share has risen, default `20pp`. `latency`: a duration, default `30s`. `budget`: the used share of a limit, default `80%`. `queue`: the filled share of the queue, default `80%`.
   */
  threshold?: string;
  /**
   * The window of time. `failures`, `latency`: default `10m`. `drops`: before and after the reload, default `15m`. `expiry`: how long before the end, default `14d`. In milliseconds.
   */
  within?: number;
  /**
   * How many runs, requests or attempts there must be in the window: a share of fewer says little. For `failures`, `drops` and `latency`; default 10.
   */
  minCount?: number;
  /**
   * How long it must have been so before the alert fires. `silence`: default `1h`. `reload`: default `5m`. `circuit`: default `1m`. Else: default `0s`. In milliseconds.
   */
  for?: number;
  /**
   * How long it must have been over before the alert is resolved: a value that wavers around the threshold is then one alert. Default `0s`. In milliseconds.
   */
  keepFiringFor?: number;
  /**
   * Of `latency`: which percentile must not reach the threshold. Default 95.
   */
  percentile?: number;
  /**
   * Of `latency`: the time of accepted requests, from arrival until the end of the response, or that of attempts of runs. Default `request`.
   */
  measure?: 'request' | 'attempt';
  /**
   * Id of the project that the rule is limited to. Default: all of them.
   */
  project?: string;
  /**
   * The trigger that the rule is limited to: `project/key`. Default: all of them.
   */
  trigger?: string;
  /**
   * What is watched apart: each trigger, each project, or all that the rule is limited to together. For `failures`, `drops`, `latency`: default `trigger`. For `silence`: default `all`.
   */
  per?: 'trigger' | 'project' | 'all';
  /**
   * Of `budget`: the name of the limit, as `pullcord limits` shows it. Default: every limit that counts for an hour or longer.
   */
  limit?: string;
  /**
   * Of `silence`: the hours in which it matters. It counts from their beginning at the earliest. Default: all day.
   */
  between?: string;
  /**
   * Of `silence`: the days on which it matters. Default: all of them.
   */
  days?: string[];
  /**
   * Of `silence`: the time zone of `between` and `days`. Default `UTC`.
   */
  zone?: string;
  /**
   * Names of the receivers. Default: all of them.
   */
  to?: string[];
}
/**
 * The plugin of a stage, and its options.
 */
export interface StageDocument {
  /**
   * Name of the plugin.
   */
  uses: string;
  /**
   * Options of the plugin, as its own schema defines them.
   */
  with?: JsonObject;
}
/**
 * One filter.
 */
export interface NamedFilterDocument {
  /**
   * Names the drop in replies and tests. Unique in the trigger; default: `filter 1`, `filter 2` …
   */
  name?: string;
  /**
   * Name of the filter plugin.
   */
  uses: string;
  /**
   * Options of the filter plugin, as its own schema defines them.
   */
  with?: JsonObject;
}
/**
 * How the agent is called.
 */
export interface RunStageDocument {
  /**
   * Name of the run plugin.
   */
  uses: string;
  /**
   * Options of the run plugin, as its own schema defines them.
   */
  with?: JsonObject;
  concurrency?: ConcurrencyDocument;
  /**
   * How long after its acceptance a run starts at the earliest. Until then it is `queued`, and can be cancelled. In milliseconds.
   */
  delay?: number;
  /**
   * Callers may say when a run starts at the earliest, by the member `notBefore` of the body: a time with its zone (RFC 3339), at most this far ahead; otherwise the answer is 400 `invalid_body`. Not read of bodies with `fields: free`. Default: `notBefore` is a member like any other. In milliseconds.
   */
  notBefore?: number;
  circuit?: CircuitDocument;
  /**
   * Deadline of one attempt, including detached work. Default: the run plugin's own `timeout`, or 7 days for a plugin that has none. In milliseconds.
   */
  timeout?: number;
  /**
   * Retries after a transient failure, with exponential backoff: the pause doubles each time, with a jitter of 20 %.
   */
  retry?: {
    /**
     * How many attempts in total.
     */
    attempts: number;
    /**
     * The pause after the first attempt. In milliseconds.
     */
    backoff: number;
    /**
     * The longest pause. In milliseconds.
     */
    max: number;
  };
  bindings?: BindingsDocument;
}
/**
 * How many at once, and of what.
 */
export interface ConcurrencyPerDocument {
  /**
   * How many runs may be executed at once: of the trigger, or of one value of `per`.
   */
  limit: number;
  /**
   * What has `limit` places of its own: `key` (the caller), `ip` (of IPv6 its /64), `session`, `trigger`, `project`, or a JSONata expression over the input, `$request`, `$caller` and `$event`. Values take turns, so that many queued runs of one do not delay the others. The value is found when the run is accepted. Default: all runs of the trigger together.
   */
  per?: string;
}
/**
 * Holds the queue of the trigger while its agent is down: after `failures` transient failures in a row nothing starts for `pause`, then one run is let through. If it succeeds, all start again. Runs are accepted meanwhile. Default: the queue is never held.
 */
export interface CircuitDocument {
  /**
   * How many attempts of the trigger, of any run, fail in a row.
   */
  failures: number;
  /**
   * How long nothing starts. In milliseconds.
   */
  pause: number;
}
/**
 * What expressions and templates of the run plugin may read of the request and its caller, in addition to `$request.method`, `query` and `ip`, `$caller.id` and `$event`. It is stored with the run.
 */
export interface BindingsDocument {
  /**
   * Names of the headers in `$request.headers`, in lower case. Default: accept-language, content-type, origin, referer and user-agent. authorization, cookie, proxy-authorization, set-cookie and x-api-key are rejected, and those that carry the credentials of the trigger's callers are left out.
   *
   * Items: The name of a header.
   */
  headers?: string[];
  /**
   * Names of the claims in `$caller.claims`, of a caller with a token.
   *
   * Items: The name of a claim.
   */
  claims?: string[];
}
/**
 * What bodies of requests look like. Members that are absent here are as the auth plugins say that their senders' bodies are, e.g. those of `scheme: github`, and else have their default.
 */
export interface BodyDocument {
  /**
   * Whose members they are. `checked`, the default: Pullcord's; known ones are checked, null counts as absent, defaults are filled in. `free`: the sender's own; nothing is checked or filled in, no member is a sessionId, a list at the top is taken as `{ items: [...] }`, and numbers that cannot be represented exactly are taken.
   */
  fields?: 'checked' | 'free';
  /**
   * The accepted formats, `[json]` by default. `json`: `application/json`, any `+json`, and `text/plain` unless `text` is accepted too. `form`: `application/x-www-form-urlencoded`, and `multipart/form-data` without files; values are strings, those of a name that is repeated a list. `text`: `text/plain` and any other `text/…`, as `{ text }`.
   *
   * Items: A format.
   */
  accept?: ('json' | 'form' | 'text')[];
  /**
   * The largest body, after decoding too; at most the gateway's `server.bodyLimit`, which is the default. In bytes.
   */
  limit?: number;
  /**
   * JSONata expression whose value is the `sessionId`, e.g. a member of the sender's. It may read the body, `$event`, `$caller.id`, `$request.method`, `query` and `ip`. A number becomes a string; null or no value is no session; anything else but a string of 1 to 256 characters is answered 400 `invalid_body`. Default: the member `sessionId` where fields are checked, and none where they are free.
   */
  session?: string;
  form?: FormDocument;
}
/**
 * How forms are read.
 */
export interface FormDocument {
  /**
   * Name of the member that holds JSON, or several: each becomes the value that it holds.
   */
  json?: string | string[];
}
/**
 * What is kept, and what is never stored at all.
 */
export interface RecordPolicyDocument {
  /**
   * `full`, the default: input and output; `metadata`: neither; `none`: nothing about the run.
   */
  keep?: 'full' | 'metadata' | 'none';
  /**
   * JSON pointers into the input: their values are masked before anything is stored. Without an index, one leads into every item of a list; a string that holds JSON is masked as a whole. A run that a crash interrupts then fails, since its input is incomplete.
   */
  mask?: string[];
}
/**
 * How conversations, which callers name by `sessionId`, are remembered.
 */
export interface SessionsDocument {
  /**
   * To whom a `sessionId` belongs. `caller`, the default: equal ids of two callers are two conversations. `trigger`: any caller of the trigger that knows the id continues the conversation, e.g. where several API keys serve one.
   */
  scope?: 'caller' | 'trigger';
  /**
   * How long after its last run a conversation is remembered. In milliseconds.
   */
  ttl: number;
  /**
   * What happens to a request while a run of its conversation is queued or running. `enqueue`, the default: its run waits for its turn. `drop`: it is refused, 409 `session_busy`. `replace`: that run is cancelled, and the new one takes its place.
   */
  onBusy?: 'enqueue' | 'drop' | 'replace';
}
/**
 * The receiver of a notification of each final run: a POST, signed as Standard Webhooks specifies, retried for three days.
 */
export interface CallbackDocument {
  /**
   * URL of the receiver. Private, loopback and link-local addresses must be listed in `outbound.allow` of the gateway. Redirects are not followed.
   */
  url: string;
  /**
   * The signing secret: `whsec_` and base64 as receivers of Standard Webhooks expect it, or any other text.
   */
  secret: SecretReference;
}
/**
 * Which web pages may call the trigger from a browser and read its answers (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). Without it, none but those of the gateway's own origin.
 */
export interface CorsDocument {
  /**
   * Origins of pages: scheme, host, and a port that is not the default. `*.` in front of a host means its subdomains, without the host itself; `*` alone means every page.
   *
   * @minItems 1
   */
  origins: [string, ...string[]];
  /**
   * How long a browser may remember that it may call. The shortest of all triggers counts, since a preflight names none. In milliseconds.
   */
  maxAge: number;
}
/**
 * Makes one run of a burst of requests: it starts when no further one has arrived for a while, with the body of the last. All of them are answered 202 with that run, whatever `respond` says of accepted requests. Requests of two callers, or of two conversations, are never one burst.
 */
export interface DebounceDocument {
  /**
   * How long after the last request the run starts. In milliseconds.
   */
  wait: number;
  /**
   * How long after the first request it starts at the latest; at least `wait`. Default: ten times `wait`, at most 7d. In milliseconds.
   */
  max?: number;
  /**
   * What is debounced apart: `key`, `ip` (of IPv6 its /64), `session`, `trigger`, `project`, or the value of a JSONata expression over the input, `$request`, `$caller` and `$event`. Default: all requests of a caller, or of its conversation.
   */
  per?: string;
}
/**
 * A caller's credential: what it may do, and where.
 */
export interface ApiKeyDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'ApiKey';
  /**
   * Names the caller in runs and logs. Unique in the organization.
   */
  id: string;
  /**
   * A name for people.
   */
  name?: string;
  /**
   * For people who read this file.
   */
  description?: string;
  /**
   * Digests of the secrets of this key. More than one: rotation without downtime.
   *
   * @minItems 1
   */
  secrets: [ApiKeySecretDocument, ...ApiKeySecretDocument[]];
  /**
   * Where the key is used. `browser`: in a web page, so that anyone can read it. It starts with `pcb_`, must name `origins` and `triggers`, fires them, and reads only runs of the session that a request names.
   */
  use: 'server' | 'browser';
  /**
   * Origins of the pages that may use the key: a request without one of them in its header `Origin` is 403. Required for `use: browser`. `*.` in front of a host means its subdomains, without the host itself.
   */
  origins?: string[];
  /**
   * The triggers that the key may fire, of its projects. Default: all of them.
   */
  triggers?: string[];
  /**
   * What the key may do. `project.trigger`: fire triggers, read and cancel its own runs. `project.runs`: those of others too. `project.token`: issue short-lived tokens, which fire its triggers.
   */
  permissions: ('project.trigger' | 'project.runs' | 'project.token')[];
  /**
   * Ids of the projects that the key may use, or ["*"] for every project.
   */
  projects: string[];
  limits: LimitsDocument;
  /**
   * A revoked key is rejected.
   */
  status: 'active' | 'revoked';
}
/**
 * One secret, as `pullcord keys create` prints it.
 */
export interface ApiKeySecretDocument {
  /**
   * `sha256:` and the SHA-256 digest of the secret, 64 hex digits in lower case.
   */
  hash: string;
  /**
   * From when the secret is rejected: a day (from 00:00 UTC) or a time with its zone.
   */
  expires?: string;
  /**
   * Names the secret in runs and logs, instead of its place such as `secrets[1]`. Never the secret itself.
   */
  note?: string;
}
/**
 * An agent project: a namespace for triggers, with defaults.
 */
export interface ProjectDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'Project';
  /**
   * Part of the URL of every trigger of the project. Unique in the organization.
   */
  id: string;
  /**
   * A name for people; default: the id.
   */
  name?: string;
  /**
   * For people who read this file.
   */
  description?: string;
  /**
   * ISO 639-1 code of the language of requests that do not declare one.
   */
  language: string;
  limits: LimitsDocument;
  defaults: DefaultsDocument;
}
/**
 * Stages of triggers that do not declare their own.
 */
export interface DefaultsDocument {
  auth?: AuthDocument;
  filter?: FilterDocument;
  dedup?: DedupDocument;
  run?: RunStageDocument;
  respond?: StageDocument;
  body?: BodyDocument;
  record?: RecordDocument;
  sessions?: SessionsDocument;
  callback?: CallbackDocument;
  cors?: CorsDocument;
  debounce?: DebounceDocument;
}
/**
 * What a caller fires, with its stages: auth, filter, dedup, run, respond.
 */
export interface TriggerDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'Trigger';
  /**
   * Id of the project that the trigger belongs to.
   */
  project: string;
  /**
   * The last part of the trigger's URL; matched without regard to case. Unique in the scope of the gateway's `triggerKeys`.
   */
  key: string;
  /**
   * A name for people, unique in the project; default: the key.
   */
  name?: string;
  /**
   * For people who read this file.
   */
  description?: string;
  /**
   * A paused trigger answers like one that does not exist.
   */
  status: 'active' | 'paused';
  auth?: AuthDocument;
  filter?: FilterDocument;
  dedup?: DedupDocument;
  run?: RunStageDocument;
  respond?: StageDocument;
  body?: BodyDocument;
  record?: RecordDocument;
  sessions?: SessionsDocument;
  callback?: CallbackDocument;
  cors?: CorsDocument;
  debounce?: DebounceDocument;
  limits: LimitsDocument;
  recording?: RecordingDocument;
  tests: TriggerTestsDocument;
}
/**
 * One request and its expected verdict.
 */
export interface TriggerTestDocument {
  /**
   * The name of the test: what it shows.
   */
  name: string;
  /**
   * The body of the request as JSON. Without `body`, `form` and `text`, the request has none.
   */
  body?:
    | {
        [k: string]: unknown;
      }
    | unknown[];
  /**
   * The body of the request as a form: a list is a field that is repeated, an object is sent as JSON.
   */
  form?: JsonObject;
  /**
   * The body of the request as text; `text/plain`, unless `headers` say otherwise.
   */
  text?: string;
  /**
   * Headers of the request.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Id of the ApiKey that calls. Default: a caller with every permission.
   */
  key?: string;
  /**
   * When the request arrives: a time with its zone. Default: now.
   */
  clock?: string;
  /**
   * Requests that precede it, the oldest first. Where a duplicate is expected and this is absent, the same request is sent twice.
   */
  after?: EarlierRequestDocument[];
  expect: TriggerExpectationDocument;
}
/**
 * A request; members that it omits are those of the test itself.
 */
export interface EarlierRequestDocument {
  /**
   * The body of the request as JSON.
   */
  body?:
    | {
        [k: string]: unknown;
      }
    | unknown[];
  /**
   * The body of the request as a form.
   */
  form?: JsonObject;
  /**
   * The body of the request as text.
   */
  text?: string;
  /**
   * Headers of the request.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Id of the ApiKey that calls.
   */
  key?: string;
  /**
   * How often it is sent.
   */
  times: number;
  /**
   * When the request arrives.
   */
  clock?: string;
}
/**
 * The expected result.
 */
export interface TriggerExpectationDocument {
  /**
   * The expected verdict. `limited`: a limit has no room. `refused`: the request does not reach the filters, e.g. because the key may not call the trigger. A filter that fails drops the request with `code: filter_error`, which must then be expected explicitly.
   */
  verdict: 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'refused';
  /**
   * Name of the filter that should drop it, or of the limit that should refuse it.
   */
  by?: string;
  /**
   * The HTTP status that the caller should get, from an agent that answers at once.
   */
  status?: number;
  /**
   * The code of the problem that the caller should get.
   */
  code?: string;
  /**
   * What the agent should receive. Objects may have additional members, lists no additional items.
   */
  input?: JsonObject;
}
/**
 * Tests of a trigger in a separate file, for those that would be too long for its own `tests`.
 */
export interface TriggerTestFileDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'TriggerTest';
  /**
   * Id of the project of the trigger.
   */
  project: string;
  /**
   * The key of the trigger.
   */
  trigger: string;
  /**
   * For people who read this file.
   */
  description?: string;
  tests: TriggerTestsDocument;
}
/**
 * Tests of an alert of gateway.yaml: what happens, at which time, and what the alert must then be. `pullcord test` runs them by the clock of the test.
 */
export interface AlertTestFileDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'AlertTest';
  /**
   * The name of the alert rule.
   */
  alert: string;
  /**
   * For people who read this file.
   */
  description?: string;
  tests: AlertTestsDocument;
}
/**
 * A course of events, and what becomes of the alert.
 */
export interface AlertTestDocument {
  /**
   * What the test shows.
   */
  name: string;
  /**
   * When it begins: times of events are counted from here.
   */
  clock: string;
  /**
   * What happens, in the order of time. Each event says one thing.
   */
  events: AlertEventDocument[];
  /**
   * What the alert is, at which times.
   *
   * @minItems 1
   */
  expect: [AlertExpectationDocument, ...AlertExpectationDocument[]];
}
/**
 * Something that happens.
 */
export interface AlertEventDocument {
  /**
   * When, counted from `clock`. In milliseconds.
   */
  at: number;
  /**
   * How requests come out: `accepted`, or the code of the answer.
   */
  requests?: string;
  /**
   * How runs end.
   */
  runs?: 'succeeded' | 'failed' | 'cancelled' | 'input_required';
  /**
   * How attempts of runs end.
   */
  attempts?: 'succeeded' | 'failed' | 'retry';
  /**
   * What becomes of a changed config.
   */
  reload?: 'accepted' | 'rejected';
  /**
   * Whether the queue of the trigger is held.
   */
  circuit?: 'open' | 'closed';
  /**
   * The share of the queue that is filled from now on.
   */
  queue?: string;
  /**
   * The share of the limit `limit` that is used from now on.
   */
  used?: string;
  /**
   * The name of the limit of `used`.
   */
  limit?: string;
  /**
   * When the secret of an API key expires, counted from `clock`. In milliseconds.
   */
  expires?: number;
  /**
   * The trigger of requests, runs, attempts or a circuit: `project/key`. Default: that of the rule, or the first of the config that the rule is about.
   */
  trigger?: string;
  /**
   * How many requests, runs or attempts.
   */
  count: number;
  /**
   * How long each request or attempt took. In milliseconds.
   */
  took: number;
}
/**
 * What the alert is at a time. Events of the same time have happened then.
 */
export interface AlertExpectationDocument {
  /**
   * When, counted from `clock`. In milliseconds.
   */
  at: number;
  /**
   * `firing`, `pending` (its condition is met, for less than `for` so far), `resolved` (it has fired before), or `inactive` (it has not).
   */
  state: 'inactive' | 'pending' | 'firing' | 'resolved';
  /**
   * How many messages have been sent until then, of firing and of being resolved.
   */
  sent?: number;
}
/**
 * What models cost: from it and from the tokens that agents report, the cost of each run is computed. At most one file.
 */
export interface PricesDocument {
  /**
   * Version of the config format.
   */
  version: 1;
  /**
   * What this file declares.
   */
  kind: 'Prices';
  /**
   * ISO 4217 code of the currency of all prices and costs.
   */
  currency: string;
  default: DefaultPriceDocument;
  /**
   * Prices per million tokens by model. The first entry that matches counts.
   */
  models: ModelPriceDocument[];
}
/**
 * Price per million tokens of models that no entry of `models` matches, and of tokens that are reported without a model: an unknown model is never free.
 */
export interface DefaultPriceDocument {
  /**
   * Price of a million input tokens, with at most 6 decimals.
   */
  input: number;
  /**
   * Price of a million output tokens, with at most 6 decimals.
   */
  output: number;
  /**
   * Price of a million input tokens that were read from the provider's cache, with at most 6 decimals. Default: `input`.
   */
  cached?: number;
  /**
   * Price of a million output tokens that the model spent on reasoning, with at most 6 decimals. Default: `output`.
   */
  reasoning?: number;
}
/**
 * The price of one model, or of those that a pattern matches.
 */
export interface ModelPriceDocument {
  /**
   * The name of a model as agents report it; `*` stands for any characters, also none. The whole name is matched, without regard to case.
   */
  model: string;
  /**
   * Price of a million input tokens, with at most 6 decimals.
   */
  input: number;
  /**
   * Price of a million output tokens, with at most 6 decimals.
   */
  output: number;
  /**
   * Price of a million input tokens that were read from the provider's cache, with at most 6 decimals. Default: `input`.
   */
  cached?: number;
  /**
   * Price of a million output tokens that the model spent on reasoning, with at most 6 decimals. Default: `output`.
   */
  reasoning?: number;
}

/**
 * The body of a request that fires a trigger. Null of a member that is listed here counts as absent; other members pass through to filters and agent. A trigger with `body: { fields: free }` checks none of them.
 */
export interface TriggerBody {
  /**
   * What the agent is asked to do.
   */
  instruction?:
    | string
    | {
        [k: string]: unknown;
      };
  /**
   * The conversation that this request belongs to. A new id is a new conversation; the same one continues it. Equal ids of two callers are two conversations, unless the trigger's `sessions.scope` is `trigger`.
   */
  sessionId?: string;
  /**
   * Where the request comes from; default: `api`.
   */
  environment?: string;
  /**
   * ISO 639-1 code; default: the project's language.
   */
  language?: string;
  /**
   * Name of an IANA time zone.
   */
  timezone?: string;
  /**
   * The current customer.
   */
  customer?: {
    /**
     * Id of the customer.
     */
    id?: string | number;
    /**
     * Name of the customer.
     */
    name?: string;
    /**
     * E-mail address of the customer.
     */
    email?: string;
    /**
     * Telephone number of the customer.
     */
    phone?: string;
    /**
     * What the customer pays for.
     */
    plan?: string;
    [k: string]: unknown;
  };
  /**
   * Facts about the request: a flat record.
   */
  context?: {
    [k: string]: string | number | boolean;
  };
  [k: string]: unknown;
}
