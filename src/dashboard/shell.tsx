/** The frame around every view: where one is, how fresh the news are, who one is, and the cut. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { account, signOut } from './account.ts';
import { CutRecord, MainCut } from './actions/cut.tsx';
import { news, silenceMs, state } from './box.ts';
import { Help } from './help.tsx';
import { Marked } from './parts/notes.tsx';
import { address, route, VIEWS } from './route.ts';
import { theme, type Theme } from './settings.ts';
import { Shown } from './shown.tsx';
import { bounded, ticking } from './words.ts';

/** The page of who is signed in. */
export function Shell() {
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <header class="topbar">
        <a class="brand" href={address('state')}>
          <Mark /> Portcullis
        </a>
        <Navigation />
        <div class="corner">
          <Freshness />
          <Settings />
        </div>
        <MainCut />
      </header>
      <StaleNote />
      <CutRecord />
      <main id="main" tabIndex={-1}>
        <Shown />
      </main>
      <footer>
        <span>
          {state.value === null
            ? ''
            : `build ${bounded(state.value.build, 60)} · times in your zone · days in ${bounded(state.value.timezone, 40)}`}
        </span>
        <span>Not a safety-rated device: the last word belongs to hardware.</span>
      </footer>
    </>
  );
}

/** The address is the view: the link must not change it. */
function toMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}

/** A gate, raised a little. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M3 22V10A9 8 0 0 1 21 10V22M7.5 4.5V17M12 3V19M16.5 4.5V17M4 9H20M4 14H20" />
    </svg>
  );
}

function Navigation() {
  const list = useRef<HTMLElement>(null);
  const { view } = route.value;
  // On a phone the views are wider than the page.
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [view]);
  return (
    <nav aria-label="Views" ref={list}>
      {VIEWS.map(({ name, title }) => (
        <a key={name} href={address(name)} {...(view === name && { 'aria-current': 'page' })}>
          {title}
        </a>
      ))}
    </nav>
  );
}

/** Ticks only in the eyes: a screen reader hears of a change, not of every second. */
function Freshness() {
  switch (news.value) {
    case 'live':
      return (
        <span class="freshness live">
          <i class="pulse" aria-hidden="true" /> live
        </span>
      );
    case 'awaited':
      return <span class="freshness">asking…</span>;
    case 'late':
      return (
        <span class="freshness stale">
          <Marked shape="question">silent for {ticking(silenceMs.value)}</Marked>
        </span>
      );
    case 'interlock-silent':
      return (
        <span class="freshness stale">
          <Marked shape="question">interlock silent</Marked>
        </span>
      );
  }
}

/** Says across the page that what is shown is old. */
function StaleNote() {
  const kind = news.value;
  if (kind === 'live' || kind === 'awaited') return <div role="status" class="stale-note none" />;
  const problem = state.value?.interlock.problem;
  return (
    <div role="status" class="stale-note">
      <strong>
        {kind === 'late'
          ? 'Stale: the box has fallen silent. What is shown is the last that was heard; the cut still works if the box does.'
          : `Stale: the interlock does not answer the controller. ${bounded(problem?.why ?? '')}`}
      </strong>{' '}
      {kind === 'late' ? 'Trying to reach it again.' : bounded(problem?.hint ?? '')}
    </div>
  );
}

const THEMES: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

function Settings() {
  const [helping, setHelping] = useState(false);
  const who = account.value;
  return (
    <>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          theme.value = THEMES[theme.value];
        }}
      >
        <span class="unseen">Theme: </span>
        {theme.value === 'system' ? 'auto' : theme.value}
      </button>
      <button type="button" class="quiet" aria-keyshortcuts="?" onClick={() => setHelping(true)}>
        <span aria-hidden="true">?</span>
        <span class="unseen">Help</span>
      </button>
      {who.kind === 'somebody' && (
        <span class="who">
          {bounded(who.me.name, 24)}
          {who.me.kind === 'person' && (
            <button type="button" class="quiet" onClick={() => void signOut()}>
              Sign out
            </button>
          )}
        </span>
      )}
      {helping && <Help onLeave={() => setHelping(false)} />}
    </>
  );
}
