import { isHelpOpen } from './shortcuts.tsx';
import { nextTheme, theme } from './theme.tsx';
import { timeZone, toggleTimeZone } from './time.tsx';

/** How the console shows things. Kept in this browser. */
export function Preferences() {
  return (
    <>
      <button type="button" class="quiet" title="Show times as local or as UTC" onClick={toggleTimeZone}>
        Times: {timeZone.value === 'utc' ? 'UTC' : 'local'}
      </button>
      <button type="button" class="quiet" title="Light, dark, or as the system" onClick={nextTheme}>
        Theme: {theme.value}
      </button>
      <button
        type="button"
        class="quiet"
        title="Keyboard shortcuts"
        aria-label="Keyboard shortcuts"
        onClick={() => {
          isHelpOpen.value = true;
        }}
      >
        ?
      </button>
    </>
  );
}
