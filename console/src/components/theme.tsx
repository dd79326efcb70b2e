import { effect, signal } from '@preact/signals';

const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const storedAs = 'pullcord-theme';
const stored = localStorage.getItem(storedAs);

export const theme = signal<Theme>(themes.find((one) => one === stored) ?? 'system');

/** Keeps the page in the chosen theme. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    localStorage.setItem(storedAs, theme.value);
  });
}

/** The next one of system, light and dark. */
export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
}
