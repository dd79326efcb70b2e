import type { CorsConfig, TriggerConfig } from '../config/model.ts';
import { OriginSet } from './origin-set.ts';

/** Which pages may read the answers of a trigger, or of any trigger of a snapshot. */
export interface Cors {
  readonly origins: OriginSet;
  /** How long a browser remembers a preflight, in seconds. */
  readonly maxAge: string;
}

export function corsOf({ origins, maxAgeMs }: CorsConfig): Cors {
  return Object.freeze({ origins: new OriginSet(origins), maxAge: secondsOf(maxAgeMs) });
}

/**
 * Every origin that some trigger allows: what is answered before the trigger of a request matters, so that the answer
 * does not reveal which triggers exist. Undefined if no trigger allows any.
 */
export function corsOfAll(triggers: readonly TriggerConfig[]): Cors | undefined {
  const written = triggers.flatMap(({ cors }) => cors ?? []);
  if (written.length === 0) return undefined;
  const maxAgeMs = Math.min(...written.map((one) => one.maxAgeMs));
  return corsOf({ origins: [...new Set(written.flatMap(({ origins }) => origins))], maxAgeMs });
}

function secondsOf(ms: number): string {
  return String(Math.floor(ms / 1000));
}
