/** The journal: what happened and what was refused, in order; filtered, followed, proven whole, taken away. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JournalEntry, JournalPage } from '../../api/documents/journal.ts';
import type { Problem } from '../../api/routes/problem.ts';
import { state } from '../box.ts';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { Moment } from '../parts/times.tsx';
import { API, ask } from '../requests.ts';
import { entries, gaps } from '../stream.ts';
import { actor, bounded, count } from '../words.ts';
import { ProofOfJournal } from './verification.tsx';

/** Entries a page of this view holds at most: what is older is a filter away. */
const SHOWN_LIMIT = 500;
const PAGE = 100;

interface Filter {
  readonly type: string;
  readonly link: string;
  readonly text: string;
  /** A day of the reader, `2026-11-21`; empty: any. */
  readonly day: string;
}

const NOTHING: Filter = { type: '', link: '', text: '', day: '' };

/** Kinds that people look for; each is the beginning of a type. */
const KINDS = [
  ['', 'everything'],
  ['link.', 'links'],
  ['window.', 'windows'],
  ['controller.', 'controller'],
  ['source.', 'sources'],
  ['person.', 'people'],
  ['interlock.', 'interlock'],
] as const;

/** The view. */
export function JournalView() {
  const [filter, setFilter] = useState(NOTHING);
  const follows = useSignal(true);
  return (
    <>
      <h1>Journal</h1>
      <ProofOfJournal />
      <section class="panel" aria-label="Entries">
        <Filters filter={filter} onFilter={setFilter} />
        <div class="buttons">
          <label class="check">
            <input
              type="checkbox"
              checked={follows.value}
              onChange={(event) => {
                follows.value = event.currentTarget.checked;
              }}
            />
            Follow: new entries appear by themselves
          </label>
          <a class="button" href={`${API}/journal/export?format=jsonl`} download>
            Export, JSON lines
          </a>
          <a class="button" href={`${API}/journal/export?format=csv`} download>
            Export, CSV
          </a>
        </div>
        <Entries key={JSON.stringify(filter)} filter={filter} follows={follows.value} />
      </section>
    </>
  );
}

function Filters({
  filter,
  onFilter,
}: {
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}) {
  const text = useSignal(filter.text);
  const links = (state.value?.links ?? []).map(({ link }) => link);
  return (
    <form
      class="row"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter({ ...filter, text: text.value.trim() });
      }}
    >
      <Choice
        label="Kind"
        value={filter.type}
        options={KINDS}
        onChoice={(type) => onFilter({ ...filter, type })}
      />
      <Choice
        label="Link"
        value={filter.link}
        options={[['', 'any'], ...links.map((link) => [link, bounded(link, 40)] as const)]}
        onChoice={(link) => onFilter({ ...filter, link })}
      />
      <label>
        Day
        <input
          type="date"
          value={filter.day}
          onChange={(event) => onFilter({ ...filter, day: event.currentTarget.value })}
        />
      </label>
      <label class="wide">
        Text in type, actor or data
        <input
          type="search"
          maxLength={200}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit">Filter</button>
    </form>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, name: string])[];
  readonly onChoice: (value: string) => void;
}

function Choice({ label, value, options, onChoice }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChoice(event.currentTarget.value)}>
        {options.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

const queryOf = ({ type, link, text, day }: Filter, cursor: string | null): string => {
  const query = new URLSearchParams({ limit: String(PAGE) });
  const midnight = new Date(`${day}T00:00:00`);
  if (!Number.isNaN(midnight.getTime())) {
    query.set('from', midnight.toISOString());
    midnight.setDate(midnight.getDate() + 1);
    query.set('to', midnight.toISOString());
  }
  for (const [name, value] of Object.entries({ type, link, text, cursor: cursor ?? '' }))
    if (value !== '') query.set(name, value);
  return query.toString();
};

/** Pages without a fit that are passed over before a person is asked whether to go on. */
const EMPTY_PAGES = 20;

function useEntries(filter: Filter, follows: boolean) {
  const [pages, setPages] = useState<readonly JournalEntry[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [phase, setPhase] = useState<'asking' | 'there' | 'failed'>('asking');
  const [problem, setProblem] = useState<Problem | null>(null);
  const isWantedAgain = useRef(false);
  const load = async (cursor: string | null): Promise<void> => {
    setPhase('asking');
    let from = cursor;
    for (let page = 0; page < EMPTY_PAGES; page += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each page names the next
      const answer = await ask<JournalPage>('GET', `/journal?${queryOf(filter, from)}`);
      if (!answer.ok) {
        setProblem(answer.problem);
        return setPhase('failed');
      }
      from = answer.body.next;
      setPages((before) => merged(before, answer.body.entries));
      setNext(from);
      if (answer.body.entries.length > 0 || from === null) break;
    }
    setPhase('there');
  };
  useEffect(() => void load(null), []);
  useEffect(() => {
    if (gaps.value === 0) return;
    setPages([]);
    void load(null);
  }, [gaps.value]);
  const isPlain = JSON.stringify(filter) === JSON.stringify(NOTHING);
  useEffect(() => {
    if (!follows || entries.value.length === 0) return;
    if (isPlain) setPages((before) => merged(before, entries.value));
    else isWantedAgain.current = true;
  }, [entries.value, follows]);
  // The filter is the box's to apply, one question at a time.
  useEffect(() => {
    if (phase === 'asking' || !isWantedAgain.current) return;
    isWantedAgain.current = false;
    void load(null);
  }, [phase, entries.value]);
  return { pages, next, phase, problem, load };
}

function Entries({ filter, follows }: { readonly filter: Filter; readonly follows: boolean }) {
  const { pages, next, phase, problem, load } = useEntries(filter, follows);
  return (
    <>
      {phase === 'failed' && problem !== null && <ProblemNote problem={problem} />}
      {pages.length === 0 && phase === 'there' && (
        <Empty>
          {next === null ? 'No entry fits this filter.' : 'No entry fits so far; there are older ones.'}
        </Empty>
      )}
      <ol class="entries" aria-label="Entries, newest first" aria-busy={phase === 'asking'}>
        {pages.map((entry) => (
          <Entry key={entry.seq} entry={entry} />
        ))}
      </ol>
      {pages.length >= SHOWN_LIMIT ? (
        <p class="hint">The newest {count(SHOWN_LIMIT)} are shown; filter, or export, to see older ones.</p>
      ) : (
        <button
          type="button"
          aria-disabled={phase === 'asking' || (next === null && phase !== 'failed')}
          onClick={() => (next === null && phase !== 'failed' ? undefined : void load(next))}
        >
          {phase === 'asking'
            ? 'Fetching…'
            : phase === 'failed'
              ? 'Try again'
              : next === null
                ? 'That is all'
                : 'Older'}
        </button>
      )}
    </>
  );
}

/** Both, each entry once, newest first. */
function merged(a: readonly JournalEntry[], b: readonly JournalEntry[]): readonly JournalEntry[] {
  const known = new Set(a.map(({ seq }) => seq));
  const fresh = b.filter(({ seq }) => !known.has(seq));
  if (fresh.length === 0) return a;
  return [...a, ...fresh].toSorted((one, other) => other.seq - one.seq).slice(0, SHOWN_LIMIT);
}

/** What is said in the line of an entry before it is unfolded. */
const SAID_FIRST = [
  'link',
  'window',
  'by',
  'reason',
  'why',
  'code',
  'outcome',
  'source',
  'contact',
  'name',
] as const;

function Entry({ entry }: { readonly entry: JournalEntry }) {
  const first = SAID_FIRST.flatMap((name) => {
    const value = entry.data[name];
    return typeof value === 'string' && value !== '' ? [[name, value] as const] : [];
  });
  return (
    <li class={/trip|fault|alarm|refus|fail/.test(entry.type) ? 'entry notable' : 'entry'}>
      <details>
        <summary>
          <span class="seq">{entry.seq}</span>
          <Moment at={entry.at} seconds />
          <b>{bounded(entry.type, 60)}</b>
          <span>{actor(entry.actor)}</span>
          <span class="said">
            {first.map(([name, value]) => (
              <span key={name}>
                <small>{name}</small> {bounded(value, 80)}
              </span>
            ))}
          </span>
        </summary>
        <pre tabIndex={0}>{JSON.stringify(entry, null, 2).slice(0, 8_000)}</pre>
      </details>
    </li>
  );
}
