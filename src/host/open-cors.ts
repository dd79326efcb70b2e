import type { TriggerConfig } from '../config/model.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** Every page that somebody opens can call such a trigger, with a key that it has found in another page. */
export function openCors({ cors }: TriggerConfig): readonly Problem[] {
  const index = cors?.origins.indexOf('*') ?? -1;
  if (cors === undefined || index === -1) return [];
  const place = { ...cors.place, pointer: `${cors.place.pointer}/origins/${index}` };
  const message = 'every web page may call this trigger and read its answers';
  return [{ code: 'cors_any_origin', severity: 'warning', message, hint: 'List the origins of your pages.', place }];
}
