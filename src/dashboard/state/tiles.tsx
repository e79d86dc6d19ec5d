/** What comes next, what was last good, how long the vault was exposed, who tripped it last: one tile each. */
import type { LinkState, State, WindowState } from '../../api/documents/state-document.ts';
import { LampTest } from '../actions/lamp-test.tsx';
import { Grade, Marked } from '../parts/notes.tsx';
import { Ago, Left, Moment, Until } from '../parts/times.tsx';
import { address } from '../route.ts';
import { bounded, count, duration } from '../words.ts';
import { tripSentence, WouldRefuse } from './link-panel.tsx';

/** Refusals that say only that no window is open now. */
const NOT_NOW = 'outside-window';

/** What comes next, and what would refuse it. */
export function NextTile({ document }: { readonly document: State }) {
  const next = nextWindow(document.windows);
  return (
    <section class="tile" aria-label="Next window">
      <h2>Next window</h2>
      {next === null ? (
        <p class="empty">No window is scheduled: nothing will be backed up.</p>
      ) : (
        <Next window={next} />
      )}
    </section>
  );
}

function Next({ window }: { readonly window: WindowState }) {
  const { open, next_opens, link, jitter_ms, refusals } = window;
  const name = <a href={address('windows')}>{bounded(window.window, 40)}</a>;
  if (open !== null)
    return (
      <>
        <p class="value">now</p>
        <p class="detail">
          {name} to {bounded(link, 40)} is in progress, and ends in <Left ms={open.ends_in_ms} /> at the
          latest
        </p>
      </>
    );
  if (next_opens === null) return <p class="empty">The schedule has no further run.</p>;
  return (
    <>
      <p class="value">
        in <Until at={next_opens} />
      </p>
      <p class="detail">
        {name} to {bounded(link, 40)}, <Moment at={next_opens} />
        {jitter_ms > 0 && `, up to ${duration(jitter_ms)} later`}
      </p>
      <WouldRefuse refusals={refusals.filter(({ code }) => code !== NOT_NOW)} />
    </>
  );
}

function nextWindow(windows: readonly WindowState[]): WindowState | null {
  const open = windows.find((window) => window.open !== null);
  const coming = windows
    .filter(({ next_opens }) => next_opens !== null)
    .toSorted((a, b) => Date.parse(a.next_opens ?? '') - Date.parse(b.next_opens ?? ''));
  return open ?? coming[0] ?? null;
}

/** How long the vault could be reached, against what is allowed. */
export function ExposureTile({ document }: { readonly document: State }) {
  return (
    <section class="tile" aria-label="Exposure against the budget">
      <h2>Exposure</h2>
      {document.links.map((link) => (
        <Exposure key={link.link} link={link} isAlone={document.links.length === 1} />
      ))}
    </section>
  );
}

function Exposure({ link, isAlone }: { readonly link: LinkState; readonly isAlone: boolean }) {
  const { today_ms, days_7_ms, days_30_ms, last_24h_ms, budget_ms } = link.exposure;
  return (
    <>
      {!isAlone && <h3>{bounded(link.link, 40)}</h3>}
      <div class="meters">
        <Meter name="today" ms={today_ms} budgetMs={budget_ms} />
        <Meter name="7 days" ms={days_7_ms} budgetMs={7 * budget_ms} />
        <Meter name="30 days" ms={days_30_ms} budgetMs={30 * budget_ms} />
      </div>
      <p class="detail">
        last 24 hours: {last_24h_ms === 0 ? 'none' : duration(last_24h_ms)} of the {duration(budget_ms)} that
        are allowed
      </p>
    </>
  );
}

interface MeterProps {
  readonly name: string;
  readonly ms: number | null;
  readonly budgetMs: number;
}

/** A bar of exposure against its budget; the numbers stand beside it. */
function Meter({ name, ms, budgetMs }: MeterProps) {
  const share = ms === null || budgetMs <= 0 ? 0 : Math.min(1, ms / budgetMs);
  const level = share >= 1 ? 'spent' : share > 0.8 ? 'near' : 'fine';
  return (
    <div class={`meter ${level}`}>
      <span class="name">{name}</span>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="8" />
        <rect class="fill" width={share === 0 ? 0 : Math.max(1, share * 100)} height="8" />
      </svg>
      <span class="figure">
        {ms === null ? 'not read yet' : ms === 0 ? 'none' : duration(Math.round(ms / 1_000) * 1_000)}
        <small>
          {' '}
          {ms === null || ms === 0 ? '' : `${share * 100 < 1 ? '<1' : Math.round(share * 100)} %`}
        </small>
      </span>
    </div>
  );
}

/** The last trip of any link. */
export function TripTile({ document }: { readonly document: State }) {
  const trips = document.links.flatMap(({ last_trip }) => (last_trip === null ? [] : [last_trip]));
  const last = trips.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];
  return (
    <section class="tile" aria-label="Last trip">
      <h2>Last trip</h2>
      {last === undefined ? (
        <p class="empty">No trip is on record.</p>
      ) : (
        <>
          <p class="value">
            <Ago at={last.at} />
          </p>
          <p>
            {tripSentence(last)}
            {document.links.length > 1 && ` (${bounded(last.link, 40)})`}
          </p>
          <p class="detail">
            “{bounded(last.reason, 160)}” · <Moment at={last.at} seconds />
          </p>
        </>
      )}
    </section>
  );
}

/** The box itself, on one line: clock, journal, button, lamps. What is wrong gets a line of its own. */
export function BoxLine({ document }: { readonly document: State }) {
  const { clock, journal, button, lamps } = document;
  const facts = [
    ['clock', clock === null ? 'not known' : clock.synchronised ? 'synchronised' : 'not synchronised'],
    ['journal', journal === null ? 'not known' : `${count(journal.size)} entries`],
    ...(button === undefined ? [] : [['button', button.state]]),
    ...(lamps?.lamps ?? []).map(({ lamp, shows }) => [`lamp ${lamp}`, shows.replaceAll('-', ' ')]),
  ] as const;
  return (
    <section class="box-line" aria-label="The box">
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {lamps?.simulated === true && <Grade grade="simulated" />}
      </dl>
      {lamps !== undefined && <LampTest isLit={lamps.test_ends_in_ms !== null} />}
      {wrongs(document).map((each) => (
        <p class="bad" key={each}>
          <Marked shape="warning">{each}</Marked>
        </p>
      ))}
    </section>
  );
}

function wrongs({ clock, journal, button, lamps, notifications }: State): readonly string[] {
  return [
    ...(clock?.synchronised === false ? [`clock: ${bounded(clock.detail, 160)}`] : []),
    ...(journal?.writable === false ? ['the journal cannot be written: nothing will be connected'] : []),
    ...(journal?.disk?.low === true ? ['the disk of the journal runs low: make room'] : []),
    ...(button !== undefined && button.why !== '' ? [`button: ${bounded(button.why, 160)}`] : []),
    ...(lamps?.lamps ?? []).flatMap(({ lamp, problem }) =>
      problem === null ? [] : [`lamp ${lamp}: ${bounded(problem, 120)}`],
    ),
    ...notifications.flatMap(({ name, problem, waiting }) =>
      problem === null
        ? []
        : [`notices to ${bounded(name, 40)}: ${bounded(problem, 120)} (${waiting} waiting)`],
    ),
  ];
}
