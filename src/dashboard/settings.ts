/** What this browser remembers: theme, and whether single keys do anything. Where it may remember nothing, defaults hold. */
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const read = (name: string): string | null => {
  try {
    return localStorage.getItem(`portcullis.${name}`);
  } catch {
    return null; // storage is forbidden here
  }
};

const keep = (name: string, value: string): void => {
  try {
    localStorage.setItem(`portcullis.${name}`, value);
  } catch {
    // Storage is forbidden here: the setting lasts as long as the page.
  }
};

const known = read('theme');
export const theme = signal<Theme>(known === 'light' || known === 'dark' ? known : 'system');
/** Single keys act (WCAG 2.1.4: they can be told not to). */
export const keysAct = signal(read('keys') !== 'ignored');

/** Keeps and applies the settings; called once. */
export function applySettings(): void {
  effect(() => {
    keep('theme', theme.value);
    if (theme.value === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme.value;
  });
  effect(() => keep('keys', keysAct.value ? 'acting' : 'ignored'));
}
