import { useState } from 'preact/hooks';

/** How long it says that it has copied, in milliseconds. */
const saidMs = 2000;

/** Copies a text. @param what is copied: `the patch` */
export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      // The clipboard is there only over HTTPS and on loopback addresses.
      setSaid('Not allowed by the browser: select and copy it');
    }
    window.setTimeout(() => setSaid(undefined), saidMs);
  };
  return (
    <button type="button" class="quiet" aria-label={said === undefined ? `Copy ${what}` : undefined} onClick={copy}>
      <span role="status">{said ?? 'Copy'}</span>
    </button>
  );
}
