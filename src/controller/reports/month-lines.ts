/** The summary of a month in words: one list of sections for the terminal and for the page, so that both say the same. Pure. */
import { formatBytes } from '../voice.ts';
import { moment, said, spell } from './figures.ts';
import type { LinkRow, MonthDocument } from './month-document.ts';

/** A section: sentences, then a table when there are rows; `none` stands where there are none. */
export interface MonthSection {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly none: string;
}

const part = (
  title: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
  sentences: readonly string[] = [],
): MonthSection => ({ title, sentences, heads, rows, none });

/** The one sentence that everything else rests on. */
export function verdictOf({ journal }: MonthDocument): string {
  if (journal.state === 'not-verified') return 'THE JOURNAL DOES NOT VERIFY: see below what is not known';
  if (journal.entries === 0) return 'The journal verifies and has no entry of this month';
  return `The journal of this month verifies: entries ${journal.first_seq ?? 0} to ${journal.last_seq ?? 0}`;
}

/** What a summary is called. */
export const titleOf = ({ month, is_over }: MonthDocument): string =>
  `Portcullis, ${month}${is_over ? '' : ' (not over)'}`;

/** Everything but the verdict and the signed head. */
export const sectionsOf = (month: MonthDocument): readonly MonthSection[] => [
  journalSection(month),
  ...windowSections(month),
  part(
    'Openings that did not end well, or were none',
    ['Window', 'Opening', 'Came to', 'Why'],
    month.exceptions.map(({ window, occurrence, came_to, why }) => [
      said(window),
      moment(occurrence),
      said(came_to),
      said(why ?? ''),
    ]),
    'none',
  ),
  linkSection(month),
  tripSection(month),
  ...proofSections(month),
  ...workSections(month),
  ...watchSections(month),
  ...peopleSections(month),
  part(
    'Reports and journal',
    ['They do not agree'],
    month.reports.disagreements.map((each) => [said(each)]),
    'they agree wherever both are here',
    [
      `${month.reports.kept} reports of this month are kept; ${month.reports.not_here} finished windows have none any more.`,
    ],
  ),
];

function journalSection({ journal, not_verified, interlock_starts, shortened }: MonthDocument): MonthSection {
  const cut = shortened.length === 0 ? [] : [`Shortened lists: ${shortened.join(', ')}.`];
  const sentences = [
    `${journal.entries} entries of this month; read from the ${journal.read_from === 'files' ? 'files of the box' : 'socket of the interlock'}; the chain was followed from entry ${journal.chain_from_seq ?? 0} to entry ${journal.chain_through_seq}, head ${journal.head.hash}.`,
    `${journal.heads_confirmed.length} signed heads confirmed, ${journal.heads_contradicted.length} contradicted, ${journal.heads_unchecked.length} not checked. The interlock was started ${interlock_starts} times.`,
    ...cut,
  ];
  const rows = [
    ...journal.problems.map((each) => ['PROBLEM', said(each)]),
    ...journal.heads_contradicted.map((each) => ['CONTRADICTED', said(each)]),
    ...journal.heads_unchecked.map((each) => ['not checked', said(each)]),
    ...not_verified.map((each) => ['not shown', said(each)]),
  ];
  return part(
    'What this rests on, and what it does not show',
    ['', 'Said of it'],
    rows,
    'nothing is left open',
    sentences,
  );
}

const windowName = ({ window, configured }: MonthDocument['windows'][number]): string =>
  `${said(window)}${configured ? '' : ' (not configured any more)'}`;

const NO_WINDOW = 'no window is configured, and none ran';

const windowSections = ({ windows }: MonthDocument): readonly MonthSection[] => [
  part(
    'Windows: what was planned',
    ['Window', 'Link', 'Planned', 'Run', 'of these by hand', 'Missed', 'MISSING', 'Not known'],
    windows.map((each) => [
      windowName(each),
      said(each.link),
      ...[each.planned, each.run, each.by_hand, each.missed, each.missing, each.not_known].map(String),
    ]),
    NO_WINDOW,
  ),
  part(
    'Windows: what came of those that ran',
    ['Window', 'Done', 'Partly done', 'Failed', 'Cut short', 'Skipped', 'No word'],
    windows.map((each) => [
      windowName(each),
      ...[each.done, each.partly_done, each.failed, each.cut_short, each.skipped, each.no_word].map(String),
    ]),
    NO_WINDOW,
  ),
];

const linkSection = ({ links }: MonthDocument): MonthSection =>
  part(
    'Exposure',
    ['Link', 'Connected', 'Times', 'Longest day', 'Budget in 24 h', 'Days over it'],
    links.map((each) => [
      `${said(each.link)}${each.simulated ? ' (SIMULATED)' : ''}`,
      `${spell(each.exposure_ms)}${each.still_connected ? ' and not over' : ''}`,
      String(each.connections),
      longest(each),
      each.budget_ms === null ? 'not configured any more' : spell(each.budget_ms),
      each.days_over_budget.length === 0 ? 'none' : each.days_over_budget.join(', '),
    ]),
    'no link is configured',
  );

const longest = ({ longest_day: day }: LinkRow): string =>
  day === null ? '' : `${spell(day.exposure_ms)} on ${day.day}`;

const tripSection = ({ trips, simulated }: MonthDocument): MonthSection =>
  part(
    'Trips',
    ['At', 'Link', 'By', 'Reason', 'Last isolate frame after', 'Isolation proven after', 'Reset'],
    trips.map(({ at, link, by, reason, cut_ms, proven_ms, reset_at }) => [
      moment(at),
      `${said(link)}${simulated.includes(link) ? ' (SIMULATED)' : ''}`,
      said(by),
      said(reason),
      cut_ms === null ? 'a board was not there' : spell(cut_ms),
      proven_ms === null ? 'NOT PROVEN' : spell(proven_ms),
      reset_at === null ? 'not reset' : moment(reset_at),
    ]),
    'none',
  );

function proofSections({ proof_tests, commissionings, simulated }: MonthDocument): readonly MonthSection[] {
  const note = (link: string): string => (simulated.includes(link) ? ' (SIMULATED)' : '');
  return [
    part(
      'Proof tests: one contact isolates alone',
      ['Link', 'Contact', 'Passed', 'of these by a witness', 'Failed', 'Slowest', 'Last'],
      proof_tests.map((each) => [
        `${said(each.link)}${note(each.link)}`,
        said(each.contact),
        ...[each.passed, each.by_witness, each.failed].map(String),
        each.slowest_ms === null ? '' : spell(each.slowest_ms),
        moment(each.last_at),
      ]),
      'none',
    ),
    part(
      'Commissionings',
      ['At', 'Link', 'Outcome', 'By'],
      commissionings.map(({ at, link, outcome, by }) => [
        moment(at),
        `${said(link)}${note(link)}`,
        said(outcome),
        said(by),
      ]),
      'none',
    ),
  ];
}

const count = (value: number | null): string => (value === null ? '' : String(value));

const workSections = ({ data, drills, checks }: MonthDocument): readonly MonthSection[] => [
  part(
    'Data',
    ['Repository', 'Backups', 'Not done', 'New data', 'Copied', 'Removed', 'Last good backup'],
    data.map((each) => [
      said(each.repository),
      String(each.backups),
      String(each.backups_not_done),
      formatBytes(each.bytes_added),
      String(each.snapshots_copied),
      String(each.snapshots_removed),
      each.last_good_backup_at === null ? 'NONE' : moment(each.last_good_backup_at),
    ]),
    'no step of a window is in the journal',
  ),
  part(
    'Restore drills',
    [
      'At',
      'Repository',
      'Outcome',
      'Files',
      'Size',
      'As source',
      'As recorded',
      'Nothing to compare with',
      'Why',
    ],
    drills.map((each) => [
      moment(each.at),
      said(each.repository),
      said(each.outcome),
      count(each.files),
      each.bytes === null ? '' : formatBytes(each.bytes),
      ...[each.as_source, each.as_recorded, each.without_reference].map(count),
      said(each.why ?? ''),
    ]),
    'NONE: no restore was tried',
  ),
  part(
    'Checks of the repositories',
    ['At', 'Repository', 'Outcome', 'Data read', 'Why'],
    checks.map((each) => [
      moment(each.at),
      said(each.repository),
      said(each.outcome),
      said(each.data_read ?? 'structure only'),
      said(each.why ?? ''),
    ]),
    'NONE',
  ),
];

const watchSections = ({ anomalies, guards }: MonthDocument): readonly MonthSection[] => [
  part(
    'Anomalies',
    ['At', 'Window', 'Repository', 'Rule', 'Action', 'Why', 'Released'],
    anomalies.map((each) => [
      moment(each.at),
      ...[each.window, each.repository ?? '', each.rule, each.action, each.why].map(said),
      each.id === null
        ? ''
        : each.released_at === null
          ? 'NOT RELEASED'
          : `${moment(each.released_at)} by ${said(each.released_by ?? 'somebody')}`,
    ]),
    'none',
  ),
  counts('Guards before connecting', 'Guard, and what it said', guards),
];

const counts = (title: string, head: string, list: MonthDocument['faults']): MonthSection =>
  part(
    title,
    [head, 'Count', 'Last'],
    list.map(({ what, count: times, last_at }) => [said(what), String(times), moment(last_at)]),
    'none',
  );

function peopleSections({
  sessions,
  alarm_drills,
  refusals,
  faults,
}: MonthDocument): readonly MonthSection[] {
  return [
    part(
      'Attended sessions',
      ['At', 'Link', 'By', 'Right', 'Reason', 'Lasted', 'Ended'],
      sessions.map((each) => [
        moment(each.at),
        said(each.link),
        said(each.by),
        said(each.authority),
        said(each.reason),
        each.lasted_ms === null ? 'not over' : spell(each.lasted_ms),
        said(each.ended ?? ''),
      ]),
      'none',
    ),
    counts('Drills of alarms', 'Source', alarm_drills),
    counts('Refusals', 'What was refused', refusals),
    counts('Faults of links', 'Fault', faults),
  ];
}
