/** Which view is shown: the part of the address after `#/`. */
import { signal } from '@preact/signals';

/** The views, in the order of the navigation. */
export const VIEWS = [
  { name: 'state', title: 'State' },
  { name: 'windows', title: 'Windows' },
  { name: 'timeline', title: 'Timeline' },
  { name: 'proof', title: 'Proof' },
  { name: 'sources', title: 'Sources' },
  { name: 'journal', title: 'Journal' },
  { name: 'configuration', title: 'Configuration' },
  { name: 'people', title: 'People' },
] as const;
export type View = (typeof VIEWS)[number]['name'];

/** What the address asks for: a view, and what of it. */
export interface Route {
  readonly view: View;
  readonly rest: readonly string[];
}

const read = (): Route => {
  const [name = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decoded);
  const view = VIEWS.find((each) => each.name === name)?.name ?? 'state';
  return { view, rest };
};

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody typed a lone percent sign
  }
};

export const route = signal<Route>(read());

/** Follows the address; called once. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    route.value = read();
    scrollTo(0, 0);
  });
}

/** The address of a view. */
export const address = (view: View, ...rest: readonly string[]): string =>
  `#/${[view, ...rest.map(encodeURIComponent)].join('/')}`;
