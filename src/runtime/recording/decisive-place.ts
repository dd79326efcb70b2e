import type { Config } from '../../config/model.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { LiveTrigger } from '../snapshot.ts';
import { concurrencyStage, debounceStage, limitStage, type PipelineVerdict } from '../verdict.ts';

/** The part of the config that decided: the filter, the limit, the dedup stage …, or else the trigger. */
export function decisivePlace(trigger: LiveTrigger, verdict: PipelineVerdict, config: Config): Place {
  const { place, filter, dedup, debounce, run, sessions } = trigger.config;
  switch (verdict.kind) {
    case 'dropped':
      return filter.find(({ name }) => name === verdict.by)?.place ?? place;
    case 'filter_error':
      switch (verdict.by) {
        case limitStage:
          return limitNamedIn(verdict.reason, trigger) ?? place;
        case debounceStage:
          return debounce?.place ?? place;
        case concurrencyStage:
          return run.concurrency?.place ?? run.place;
        default:
          return filter.find(({ name }) => name === verdict.by)?.place ?? dedup?.place ?? place;
      }
    case 'limited':
      return verdict.limits?.[0]?.limit.config.place ?? place;
    case 'duplicate':
      return dedup?.place ?? place;
    case 'busy':
      return sessions.place ?? place;
    case 'unavailable':
      return verdict.isOfGateway === true ? config.server.place : config.engine.place;
    case 'accepted':
      return verdict.hasFailed === true ? run.place : place;
    case 'used_up':
      return place;
  }
}

/** The reason of an error of a limit begins with its name. */
function limitNamedIn(reason: string, { limits }: LiveTrigger): Place | undefined {
  const all = [limits, ...limits.keys.values()].flatMap(({ requests, runs }) => [...requests, ...runs]);
  return all.find(({ name }) => reason.startsWith(`${name}: `))?.config.place;
}
