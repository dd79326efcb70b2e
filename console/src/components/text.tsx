import { useState } from 'preact/hooks';
import { Copy } from './copy.tsx';
import { plural } from './format.ts';
import { printable } from './printable.ts';

/** How many characters of a long text are shown at once: more would make the page slow. */
const piece = 10_000;

export interface TextProps {
  readonly text: string;
  /** What it is, for those who do not see it: `Output of the run`. */
  readonly label: string;
  /** Marks each place where it occurs, without regard to case. */
  readonly search?: string;
}

/** A foreign text: never markup, with hidden characters made visible, a piece at a time. */
export function Text({ text, label, search = '' }: TextProps) {
  const [shown, setShown] = useState(piece);
  const rest = text.length - shown;
  return (
    <div class="text">
      <pre tabIndex={0} role="region" aria-label={label}>
        <bdi>
          <Marked text={printable(text.slice(0, shown))} search={search} />
        </bdi>
      </pre>
      <div class="text-foot">
        {rest > 0 && (
          <button type="button" onClick={() => setShown(shown + 10 * piece)}>
            Show more ({plural(rest, 'character')} left)
          </button>
        )}
        <Copy text={text} what={label} />
      </div>
    </div>
  );
}

/** How many places are marked at most. */
const mostMarks = 500;

/** A text with the places marked where something occurs. */
export function Marked({ text, search }: { readonly text: string; readonly search: string }) {
  if (search === '') return <>{text}</>;
  const parts: (string | { readonly mark: string })[] = [];
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  let from = 0;
  // A few letters change their length with their case; then nothing is marked.
  if (lower.length === text.length) {
    for (let at = lower.indexOf(wanted); at >= 0 && parts.length < 2 * mostMarks; at = lower.indexOf(wanted, from)) {
      parts.push(text.slice(from, at), { mark: text.slice(at, at + wanted.length) });
      from = at + wanted.length;
    }
  }
  parts.push(text.slice(from));
  return <>{parts.map((part, index) => (typeof part === 'string' ? part : <mark key={index}>{part.mark}</mark>))}</>;
}
