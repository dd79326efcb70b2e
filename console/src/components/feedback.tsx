import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="muted" role="status">
      Loading {what} …
    </p>
  );
}

/** Nothing to show, and what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <section class="empty">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Failure({ message, retry }: { readonly message: string; readonly retry?: () => void }) {
  return (
    <section class="failure" role="alert">
      <p>{message}</p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </section>
  );
}

/** Why a document could not be read; nothing if it could. Shown above what was read before. */
export function ResourceFailure({
  resource,
}: {
  readonly resource: { readonly error: ApiError | undefined; refresh(): void };
}) {
  const { error } = resource;
  return error === undefined ? null : <Failure message={error.message} retry={() => resource.refresh()} />;
}
