import { permissionOf, type Refusal, type State } from '../../core/link.ts';
import type { Watched } from '../watch.ts';
import type { LinkFacts } from './facts.ts';
import { asExpected, sightOf } from './sight.ts';
import { judge } from './wiring.ts';

/**
 * What the last readings say is wrong with a link that is told to isolate and is not: a contact wired to NC trips its link
 * before anybody can commission it, so whoever asks is told. Empty while something may connect it, and when nothing is wrong.
 */
export function wrongAtRest(
  facts: LinkFacts,
  state: State,
  indicators: readonly Pick<Watched, 'kind' | 'name' | 'reading'>[],
): readonly Refusal[] {
  if (permissionOf(state) !== null || state.at === 'proving') return [];
  const contacts = Object.fromEntries(facts.contacts.map(({ name }) => [name, 'isolated' as const]));
  const sight = sightOf(
    facts,
    (kind, name) => indicators.find((each) => each.kind === kind && each.name === name)?.reading ?? null,
    { contacts, path: null },
    0,
  );
  if (asExpected(sight)) return [];
  const { code, what, todo } = judge({ step: 'at-rest', moved: null, sight });
  return [{ code, why: what, hint: todo }];
}
