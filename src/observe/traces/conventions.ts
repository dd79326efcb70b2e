/**
 * The semantic conventions that spans follow: the last version that has those of HTTP, which are stable, and those of generative AI,
 * which are not, and moved to a repository of their own after it. To be changed together with docs/tracing.md.
 */
export const conventionsVersion = '1.41.0';
export const schemaUrl = `https://opentelemetry.io/schemas/${conventionsVersion}`;

/** Methods that `http.request.method` may name; any other is `_OTHER`, since callers choose it. */
export const knownMethods: ReadonlySet<string> = new Set([
  ...['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'],
]);
