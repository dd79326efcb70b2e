import { useState } from 'preact/hooks';
import { signIn } from '../api/session.ts';

/** Asks for a token of the admin listener. */
export function SignIn({ wasRefused }: { readonly wasRefused: boolean }) {
  const [value, setValue] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    await signIn(value.trim());
    setBusy(false);
  };
  return (
    <main class="alone">
      <form class="card sign-in" onSubmit={submit}>
        <h1>
          <img src="/console/icon.svg" alt="" width="28" height="28" /> Pullcord
        </h1>
        <label for="token">Token of the admin listener</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          autofocus
          required
          value={value}
          aria-describedby="token-hint"
          aria-invalid={wasRefused}
          onInput={({ currentTarget }) => setValue(currentTarget.value)}
        />
        {wasRefused && (
          <p role="alert" class="bad">
            This token is not valid, or no longer: it may have expired or been removed.
          </p>
        )}
        <p id="token-hint" class="muted">
          Create one with <code>pullcord keys create --admin --id NAME --role read</code>. It is kept in this tab only.
        </p>
        <button type="submit" class="primary" disabled={isBusy || value.trim() === ''}>
          Sign in
        </button>
      </form>
    </main>
  );
}
