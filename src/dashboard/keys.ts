/** Single keys. They do nothing in a text field, with a modifier beside Shift, or when told not to (WCAG 2.1.4). */
import { account } from './account.ts';
import { cut } from './actions/cutting.ts';
import { address, VIEWS } from './route.ts';
import { keysAct } from './settings.ts';

/** The key that cuts needs Shift: no cat and no elbow writes a capital. */
const CUT_KEY = 'C';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Listens for keys; called once. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    if (!keysAct.value || account.value.kind !== 'somebody') return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isTyping(event.target)) return;
    if (event.key.toUpperCase() === CUT_KEY && event.shiftKey) {
      event.preventDefault();
      void cut([]);
      return;
    }
    if (document.querySelector('dialog[open]') !== null) return;
    const view = VIEWS[Number(event.key) - 1];
    if (view !== undefined) location.hash = address(view.name);
    else if (event.key === '?') document.querySelector<HTMLElement>('[aria-keyshortcuts="?"]')?.click();
  });
}
