import type { Config } from '../../config/model.ts';

/** Whether a trigger starts programs: its run plugin has the option `argv`, as `ProgramOptions` of the run kit names it. */
export function startsPrograms({ triggers }: Pick<Config, 'triggers'>): boolean {
  return triggers.some(({ run }) => Array.isArray(run.with.argv));
}

/** Variables that the gateway reads itself and that may hold a credential of the collector of traces. */
export const secretsOfTraces = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'] as const;

/** Returns the environment variables that the config names as secrets, `{ env: NAME }`. */
export function secretVariables({ admin, engine, defaultAuth, triggers }: Config): ReadonlySet<string> {
  const names = new Set<string>();
  // Triggers share what they inherit.
  const visited = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || visited.has(value)) return;
    visited.add(value);
    const members = Object.values(value);
    if (members.length === 1 && 'env' in value && typeof value.env === 'string') names.add(value.env);
    for (const member of members) visit(member);
  };
  visit([admin.token, engine.with, defaultAuth, triggers]);
  return names;
}
