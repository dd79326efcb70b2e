import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { goTo } from '../routing/location.ts';
import { views } from '../routing/views.ts';
import { Dialog } from './dialog.tsx';

export const isHelpOpen = signal(false);

/** How long `g` waits for the key of a view, in milliseconds. */
const sequenceMs = 1500;

/** `g` and a letter open a view, `/` goes to the filter of a view (the element with `data-filter`), `?` shows the keys. */
export function useShortcuts(): void {
  useEffect(() => {
    let wentAt = -Infinity;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isSecond = performance.now() - wentAt < sequenceMs;
      wentAt = -Infinity;
      const view = isSecond ? views.find(({ key }) => key === event.key) : undefined;
      if (view !== undefined) goTo([view.name]);
      else if (event.key === 'g') wentAt = performance.now();
      else if (event.key === '?') isHelpOpen.value = true;
      else if (event.key === '/') {
        event.preventDefault();
        document.querySelector<HTMLElement>('[data-filter]')?.focus();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog, [contenteditable]') !== null;
}

export function ShortcutHelp() {
  const close = (): void => {
    isHelpOpen.value = false;
  };
  return (
    <Dialog title="Keyboard shortcuts" close={close}>
      <dl class="shortcuts">
        {views.map(({ key, title }) => (
          <div key={key}>
            <dt>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dt>
            <dd>{title}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Filter the list</dd>
        </div>
        <div>
          <dt>
            <kbd>↓</kbd> <kbd>↑</kbd>
          </dt>
          <dd>Next and previous row of a list</dd>
        </div>
        <div>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>Open the row</dd>
        </div>
      </dl>
    </Dialog>
  );
}
