import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/model.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** Why a valid config must not replace the serving one while the gateway runs. */
export function changeProblems(serving: Config, next: Config, force: boolean): Problem[] {
  const problems: Problem[] = [];
  const refuse = (code: DiagnosticCode, message: string, hint: string) =>
    problems.push({ code, severity: 'error', message, hint, place: next.server.place });
  const hint = 'if that is intended, force it: POST /config/reload?force=true on the admin listener, or restart';
  if (!force && serving.triggers.length > 0 && next.triggers.length === 0) {
    refuse('triggers_vanished', 'all triggers are gone at once', hint);
  }
  if (!force && serving.apiKeys.length > 0 && next.apiKeys.length === 0) {
    refuse('keys_vanished', 'all API keys are gone at once', hint);
  }
  if (serving.engine.uses !== next.engine.uses || !isDeepStrictEqual(serving.engine.with, next.engine.with)) {
    problems.push({
      code: 'engine_changed',
      severity: 'error',
      message: 'the engine cannot be changed while the gateway runs',
      hint: 'restart the gateway to use the new engine settings',
      place: next.engine.place,
    });
  }
  return problems;
}
