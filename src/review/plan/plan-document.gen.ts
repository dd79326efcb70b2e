// Generated from schemas/source/plan.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject } from '../../contract/index.ts';

/**
 * The output of `pullcord plan --format json`. Members may be added within a version; none is removed or gets another meaning.
 */
export interface PlanDocument {
  /**
   * Version of this format.
   */
  version: 1;
  /**
   * The plan in one line.
   */
  summary: string;
  /**
   * Whether anything changes: what `--detailed-exitcode` reports.
   */
  changes: boolean;
  /**
   * The base of the comparison.
   */
  base: {
    /**
     * Its name as given: a git revision or a folder; `nothing` if there was no config.
     */
    label: string;
    /**
     * Content hash of all config files; absent if there is no config.
     */
    revision?: string;
    /**
     * How many errors it has; absent if it has none. Only its valid part is compared.
     */
    faults?: number;
  };
  /**
   * The config that is compared with it.
   */
  head: {
    /**
     * Its name as given: a git revision or a folder; `nothing` if there was no config.
     */
    label: string;
    /**
     * Content hash of all config files; absent if there is no config.
     */
    revision?: string;
  };
  /**
   * The changed declarations: the gateway first, then projects, keys and triggers.
   */
  structure: PlannedChange[];
  /**
   * Who may fire other triggers than before.
   */
  access: PlannedAccess[];
  /**
   * What a reviewer should look at, above all widened access.
   */
  warnings: PlannedWarning[];
  behaviour?: PlannedBehaviour;
  impact?: PlannedImpact;
  /**
   * A counterexample (witness), an invented request, for each changed filter on which no given request differs.
   */
  witnesses: PlannedWitness[];
}
/**
 * Something that was added, removed or changed.
 */
export interface PlannedChange {
  /**
   * What it is.
   */
  subject: 'gateway' | 'project' | 'key' | 'trigger';
  /**
   * Its id; of a trigger `project/key`.
   */
  id: string;
  /**
   * What happened to it.
   */
  action: 'added' | 'removed' | 'changed';
  /**
   * Its parts that changed; all parts if it is new. Empty if it was removed.
   */
  details: PlannedDetail[];
  /**
   * Its place: `file:line:column`.
   */
  place: string;
}
/**
 * A part of it, before and after.
 */
export interface PlannedDetail {
  /**
   * The part.
   */
  what: string;
  /**
   * Its old value, in words; absent if there was none. Never a secret.
   */
  before?: string;
  /**
   * Its new value, in words; absent if it was removed.
   */
  after?: string;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
}
/**
 * What a caller gains and loses.
 */
export interface PlannedAccess {
  /**
   * Id of an API key, `anyone`, or the callers of another auth plugin.
   */
  caller: string;
  /**
   * Triggers that it may fire now and could not before.
   */
  gains: string[];
  /**
   * Triggers that it may no longer fire.
   */
  loses: string[];
}
/**
 * A change that a reviewer should confirm as intended.
 */
export interface PlannedWarning {
  /**
   * Stable: see the problem codes.
   */
  code: string;
  /**
   * What is opened, in words.
   */
  message: string;
  /**
   * Whether access is widened: what `--fail-on widened-access` checks. Otherwise it only deserves a look, e.g. another program of an agent.
   */
  widens: boolean;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
}
/**
 * The verdicts of the given requests under both configs; absent if none were given.
 */
export interface PlannedBehaviour {
  /**
   * How many were tried.
   */
  requests: number;
  /**
   * How many of them had a recorded verdict.
   */
  recorded: number;
  /**
   * How many of those have the recorded verdict under the base.
   */
  asRecorded: number;
  /**
   * How many have masked values, on which filters cannot be judged.
   */
  masked: number;
  /**
   * How many were recorded for being dropped, limited or failed, and not as one of a sample: they show what changes, not how often. Absent if none was.
   */
  outcomeOnly?: number;
  /**
   * How many cannot be judged, by reason. They do not count as changed.
   */
  notJudged: PlannedNotJudged[];
  /**
   * How many get another verdict.
   */
  changed: number;
  /**
   * How many of those are accepted now and were not before.
   */
  newlyAccepted: number;
  /**
   * How many of those were accepted before: what `--fail-on dropped-requests` checks.
   */
  noLongerAccepted: number;
  /**
   * How many of those a limit refuses: what `--fail-on limited-requests` checks.
   */
  newlyLimited: number;
  /**
   * The requests that get another verdict, by trigger and by change; the largest group first.
   */
  groups: PlannedGroup[];
}
/**
 * Requests that cannot be judged for one reason.
 */
export interface PlannedNotJudged {
  /**
   * Why, in words.
   */
  reason: string;
  /**
   * Their number.
   */
  count: number;
}
/**
 * Requests of one trigger that change in the same way.
 */
export interface PlannedGroup {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * Their old verdict.
   */
  before: string;
  /**
   * Their new verdict.
   */
  after: string;
  /**
   * The filter that decides, after the change or else before it; absent where none does.
   */
  filter?: string;
  /**
   * Their number.
   */
  count: number;
  /**
   * The first few of them.
   */
  samples: PlannedSample[];
  /**
   * Its place: `file:line:column`.
   */
  place?: string;
}
/**
 * One of them.
 */
export interface PlannedSample {
  /**
   * Id of the recorded request, or name of the file.
   */
  id: string;
  /**
   * When it arrived; absent if that is unknown, as of a body in a folder.
   */
  at?: string;
  /**
   * Id of the key that sent it; absent if unknown.
   */
  caller?: string;
  /**
   * Its body, with its values masked unless `--show-bodies` was given; absent if it had none.
   */
  body?: JsonObject;
}
/**
 * What the change does to what limits refuse, how long runs wait, and what runs consume, by simulation of the given requests; absent if there is nothing to say.
 */
export interface PlannedImpact {
  /**
   * Limits that are new, changed or removed, and others that refuse more or fewer requests than before.
   */
  limits: PlannedLimit[];
  /**
   * Triggers of which filters, dedup, limits or concurrency changed, or of which other requests run.
   */
  triggers: PlannedTriggerImpact[];
  /**
   * The expected cost of a day, of all triggers together: what `--fail-on cost>25%` compares. Absent if no recorded run has a cost.
   */
  cost?: {
    /**
     * ISO 4217.
     */
    currency: string;
    /**
     * With the base.
     */
    before: number;
    /**
     * With the head.
     */
    after: number;
  };
}
/**
 * A limit, and what it refuses.
 */
export interface PlannedLimit {
  /**
   * Its name.
   */
  limit: string;
  /**
   * What it counts.
   */
  unit: 'requests' | 'runs' | 'tokens' | 'cost';
  /**
   * Where it is declared: `gateway`, or `project`, `trigger` or `key` with the id.
   */
  of: string;
  /**
   * `shadow`: it refuses nothing, and `refused` says what it would refuse.
   */
  mode: 'enforce' | 'shadow';
  /**
   * Whether the head no longer has it.
   */
  removed: boolean;
  /**
   * How many requests it counted or refused.
   */
  requests: number;
  /**
   * How many of those it refuses. Of several limits without room, the one that is full for longest.
   */
  refused: number;
  /**
   * How many it refused with the base.
   */
  refusedBefore: number;
  /**
   * When; absent if none is refused.
   */
  when?: {
    /**
     * When the first is refused.
     */
    first: string;
    /**
     * When the last is refused.
     */
    last: string;
    /**
     * The window of its length with the most refused requests.
     */
    busiest: {
      /**
       * When it begins.
       */
      from: string;
      /**
       * Its length in milliseconds.
       */
      ms: number;
      /**
       * How many requests are refused in it.
       */
      count: number;
    };
  };
  /**
   * The callers with the most refused requests.
   *
   * Items: One of them.
   */
  callers: {
    /**
     * Its name.
     */
    name: string;
    /**
     * How many requests of it are refused.
     */
    count: number;
  }[];
  /**
   * The triggers with the most refused requests.
   *
   * Items: One of them.
   */
  triggers: {
    /**
     * Its name.
     */
    name: string;
    /**
     * How many requests of it are refused.
     */
    count: number;
  }[];
  /**
   * The values of `per` with the most refused requests. Those of requests, such as addresses, are masked unless `--show-bodies` was given.
   *
   * Items: One of them.
   */
  values: {
    /**
     * Its name.
     */
    name: string;
    /**
     * How many requests of it are refused.
     */
    count: number;
  }[];
  /**
   * The smallest amounts that would do, found by simulating the requests again; absent for a limit that was removed.
   */
  smallest?: {
    /**
     * How many requests of the limit were simulated.
     */
    requests: number;
    /**
     * The smallest amount that refuses none.
     */
    none: null | {
      /**
       * In the unit of the limit.
       */
      amount: number;
      /**
       * False if the search ended before: it is this or less.
       */
      exact: boolean;
    };
    /**
     * The smallest amount that refuses at most one request in a thousand.
     */
    oneInThousand: null | {
      /**
       * In the unit of the limit.
       */
      amount: number;
      /**
       * False if the search ended before: it is this or less.
       */
      exact: boolean;
    };
  };
  /**
   * Its place: `file:line:column`.
   */
  place: string;
}
/**
 * What changes for the runs of a trigger.
 */
export interface PlannedTriggerImpact {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * How long runs wait for a place; absent unless concurrency changed.
   */
  waiting?: {
    /**
     * The 95th percentile before, in milliseconds.
     */
    beforeMs: number;
    /**
     * The 95th percentile after.
     */
    afterMs: number;
  };
  /**
   * What its runs are in a day; absent if what they took is not recorded.
   */
  perDay?: {
    /**
     * The recording rate by which numbers were scaled up.
     */
    rate: number;
    /**
     * How much time was recorded, in milliseconds.
     */
    recordedMs: number;
    /**
     * Runs a day.
     */
    runs: {
      /**
       * With the base.
       */
      before: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * With the head.
       */
      after: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * The difference, with an interval of its own: both sides have the same requests.
       */
      change: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
    };
    /**
     * Tokens a day; absent if no recorded run reports any.
     */
    tokens?: {
      /**
       * With the base.
       */
      before: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * With the head.
       */
      after: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * The difference, with an interval of its own: both sides have the same requests.
       */
      change: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
    };
    /**
     * Cost a day; absent if no recorded run has one.
     */
    cost?: {
      /**
       * With the base.
       */
      before: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * With the head.
       */
      after: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * The difference, with an interval of its own: both sides have the same requests.
       */
      change: {
        /**
         * What is expected.
         */
        expected: number;
        /**
         * The lower end of the 95 % interval.
         */
        low: number;
        /**
         * The upper end.
         */
        high: number;
      };
      /**
       * ISO 4217.
       */
      currency: string;
    };
  };
}
/**
 * A filter that changed, and its counterexample.
 */
export interface PlannedWitness {
  /**
   * `project/key`
   */
  trigger: string;
  /**
   * Name of the filter.
   */
  filter: string;
  /**
   * What happened to it.
   */
  change: 'added' | 'removed' | 'changed';
  /**
   * A small body that gets another verdict; null if none was found, which does not prove that none exists.
   */
  found: null | PlannedWitnessBody;
  /**
   * How many bodies were tried.
   */
  tried: number;
  /**
   * Its place: `file:line:column`.
   */
  place: string;
}
/**
 * The body, and its verdicts.
 */
export interface PlannedWitnessBody {
  /**
   * The body of the request.
   */
  body: JsonObject;
  /**
   * Its old verdict.
   */
  before: string;
  /**
   * Its new verdict.
   */
  after: string;
}
