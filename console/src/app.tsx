import { useEffect, useState } from 'preact/hooks';
import { identify, mayOperate, session, signOut } from './api/session.ts';
import { Failure, Loading } from './components/feedback.tsx';
import { Navigation } from './components/navigation.tsx';
import { Preferences } from './components/preferences.tsx';
import { isHelpOpen, ShortcutHelp, useShortcuts } from './components/shortcuts.tsx';
import { SignIn } from './components/sign-in.tsx';
import { location } from './routing/location.ts';
import type { ViewProps } from './routing/view-props.ts';
import { type View, viewAt } from './routing/views.ts';

/** The console: who is signed in, the list of views, and one of them. */
export function App() {
  useEffect(() => void identify(), []);
  const state = session.value;
  switch (state.kind) {
    case 'unknown':
      return <Loading what="the gateway" />;
    case 'signed_out':
      return <SignIn wasRefused={state.wasRefused} />;
    case 'failed':
      return (
        <main class="alone">
          <Failure message={state.message} retry={() => void identify()} />
        </main>
      );
    case 'signed_in':
      return <Shell id={state.identity.id} />;
  }
}

function Shell({ id }: { readonly id: string }) {
  useShortcuts();
  const { path, query } = location.value;
  const view = viewAt(path);
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to content
      </button>
      <header class="bar">
        <span class="brand">
          <img src="/console/icon.svg" alt="" width="20" height="20" /> Pullcord
        </span>
        <Navigation current={view?.name} />
        <div class="bar-end">
          <Preferences />
          <span class="who">
            {id} <span class="muted">({mayOperate.value ? 'operate' : 'read'})</span>
          </span>
          {id !== 'loopback' && (
            <button type="button" class="quiet" onClick={signOut}>
              Sign out
            </button>
          )}
        </div>
      </header>
      {/* One view keeps its state while its own address changes. */}
      {view === undefined ? (
        <main id="content" tabIndex={-1}>
          <Failure message="There is no such view." />
        </main>
      ) : (
        <Opened key={view.name} view={view} rest={path.slice(1)} query={query} />
      )}
      {isHelpOpen.value && <ShortcutHelp />}
    </div>
  );
}

type Loaded = Awaited<ReturnType<View['load']>>['default'];

function Opened({ view, ...props }: { readonly view: View } & ViewProps) {
  const [loaded, setLoaded] = useState<{ readonly component: Loaded }>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    document.title = `${view.title} – Pullcord`;
    view.load().then(
      (module) => setLoaded({ component: module.default }),
      () => setFailure('This view could not be loaded. The gateway may have been updated: reload the page.'),
    );
  }, [view]);
  return (
    <main id="content" tabIndex={-1}>
      {failure !== undefined && <Failure message={failure} retry={() => window.location.reload()} />}
      {failure === undefined && loaded === undefined && <Loading what={view.title.toLowerCase()} />}
      {loaded !== undefined && <loaded.component {...props} />}
    </main>
  );
}
