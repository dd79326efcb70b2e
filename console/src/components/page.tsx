import type { ComponentChildren } from 'preact';

export interface PageProps {
  readonly title: string;
  /** Beside the title: buttons, a choice of time. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A view: its heading, and what it shows. */
export function Page({ title, actions, children }: PageProps) {
  return (
    <>
      <div class="page-head">
        <h1>{title}</h1>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

/** A part of a view with a heading of its own. */
export function Section({ title, actions, children }: PageProps) {
  return (
    <section class="card" aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Facts as pairs of a name and a value; a pair without a value is left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
