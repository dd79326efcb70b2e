// Generated from schemas/source/triggers.schema.json by schemas/generate.ts. Do not edit.
import type { JsonObject } from '../../contract/index.ts';

/**
 * The answer of `GET /triggers` on the admin listener: the triggers of the serving config, by project and key. Members may be added; none is removed or gets another meaning.
 */
export interface TriggersDocument {
  /**
   * The triggers of this page.
   */
  triggers: TriggerViewDocument[];
  /**
   * What `after` of the next page is. Null: this is the last one.
   */
  next: string | null;
}
/**
 * A trigger, as it serves.
 */
export interface TriggerViewDocument {
  /**
   * Id of its project.
   */
  project: string;
  /**
   * Its key, as spelled in its file.
   */
  key: string;
  /**
   * Its name.
   */
  name: string;
  /**
   * Whether it takes requests.
   */
  status: 'active' | 'paused';
  /**
   * Where it is declared: `file:line`.
   */
  provenance: string;
  /**
   * How many tests it has.
   */
  tests: number;
  /**
   * Its limits and those of its project.
   */
  limits: TriggerLimitDocument[];
  /**
   * Its stages in their order, each use of a plugin: its own, or inherited.
   */
  stages: TriggerStageDocument[];
}
/**
 * A limit.
 */
export interface TriggerLimitDocument {
  /**
   * Its id, as `GET /limits` has it.
   */
  id: string;
  /**
   * Its name.
   */
  name: string;
  /**
   * Where it is declared: `file:line`.
   */
  provenance: string;
}
/**
 * A use of a plugin.
 */
export interface TriggerStageDocument {
  /**
   * The stage.
   */
  stage: 'auth' | 'filter' | 'dedup' | 'run' | 'respond';
  /**
   * The plugin.
   */
  uses: string;
  /**
   * The name of a filter; absent elsewhere.
   */
  name?: string;
  /**
   * Its options, with defaults. A secret is the reference to it, never its value.
   */
  with: JsonObject;
  /**
   * Where it is declared.
   */
  level: 'trigger' | 'project' | 'gateway';
  /**
   * Where it is declared: `file:line`.
   */
  provenance: string;
}
