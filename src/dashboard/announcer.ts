/** Tells screen readers and the title of the tab what changed: a state, or the news falling silent; never a tick. */
import { effect } from '@preact/signals';
import { account } from './account.ts';
import { news, state, worstLink } from './box.ts';
import { STATE_WORDS } from './state/state-words.ts';
import { paused } from './stream.ts';
import { bounded } from './words.ts';

/** Begins to tell; called once. */
export function announce(): void {
  const line = document.createElement('div');
  line.className = 'unseen';
  line.setAttribute('aria-live', 'assertive');
  line.id = 'announcer';
  document.body.append(line);
  effect(() => {
    const said = sentence();
    if (line.textContent !== said) line.textContent = said;
  });
  effect(() => {
    document.title = title();
  });
}

function sentence(): string {
  if (account.value.kind !== 'somebody' || state.value === null) return '';
  if (news.value === 'late') return 'No news from the box: what is shown is old.';
  if (news.value === 'interlock-silent') return 'The interlock is silent: what is shown is old.';
  return state.value.links
    .map(({ link, state: at, latch }) =>
      [
        `${bounded(link, 60)}: ${STATE_WORDS[at].word.toLowerCase()}`,
        ...(latch === null ? [] : [`by ${bounded(latch.by, 60)}`]),
      ].join(', '),
    )
    .join('. ');
}

function title(): string {
  if (account.value.kind !== 'somebody') return 'Portcullis';
  if (paused.value) return 'paused · Portcullis';
  if (news.value === 'late' || news.value === 'interlock-silent') return 'NO NEWS · Portcullis';
  const worst = worstLink.value;
  if (worst === null) return 'Portcullis';
  return `${STATE_WORDS[worst.state].word.toUpperCase()} ${bounded(worst.link, 40)} · Portcullis`;
}
