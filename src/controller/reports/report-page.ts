/** One report as a page to print. */
import { html, type Html } from '../../listener/html.ts';
import type { ReportDocument } from './document.ts';
import { figure, label, moment, said, spell } from './figures.ts';
import { paperOf } from './paper.ts';
import { anything, type Cell, type Row, section, table, terms } from './parts.ts';

type Step = ReportDocument['steps'][number];

/** What has a place of its own on the page; everything else is shown behind it, by the name of its key. */
const PLACED: ReadonlySet<string> = new Set([
  'format',
  'window',
  'link',
  'occurrence',
  'by_hand',
  'resumed',
  'planned',
  'actual',
  'exposure_seconds',
  'isolation_proven',
  'outcome',
  'why',
  'trip',
  'steps',
  'hooks',
  'journal_head',
  'build',
  'evidence_grade',
  'evidence',
  'proof_tests',
]);

const VERDICTS: Readonly<Record<string, readonly [string, string]>> = {
  done: ['good', 'Done: everything that was planned'],
  'partly-done': ['so-so', 'Partly done: there is a snapshot, but not of everything'],
  failed: ['bad', 'FAILED'],
  'cut-short': ['bad', 'CUT SHORT'],
  skipped: ['so-so', 'Skipped: nothing was connected'],
};

/** What a simulated board is worth, wherever its evidence is shown. */
export const SIMULATED_WORDS =
  'SIMULATED: a board of this link is emulated. Nothing on this page proves anything about hardware.';

/** The page of a report. */
export function reportPage(report: ReportDocument): string {
  const { window, occurrence } = report;
  const title = `Window ${said(window)}, ${said(occurrence)}`;
  const [tone, words] = VERDICTS[report.outcome] ?? ['so-so', said(report.outcome)];
  return paperOf(title, [
    html`<h1>${title}</h1>`,
    html`<p class="verdict ${tone}">${words}</p>`,
    ...(report.evidence_grade === 'simulated' ? [html`<p class="simulated">${SIMULATED_WORDS}</p>`] : []),
    overview(report),
    ...tripSection(report),
    section('Evidence', ...evidenceParts(report)),
    section('Proof test', proofTests(report)),
    section('Steps', stepTable(report.steps), ...report.steps.flatMap(stepDetails)),
    ...hooks(report),
    ...Object.entries(report)
      .filter(([key]) => !PLACED.has(key))
      .map(([key, value]) => section(capital(label(key)), anything(key, value))),
    section('Signed head of the journal', ...headParts(report.journal_head)),
    html`<footer>
      Report of Portcullis, format ${report.format}, build ${said(report.build ?? 'not recorded')}. The JSON
      of this report is the record; this page shows it.
    </footer>`,
  ]);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function overview(report: ReportDocument): Html {
  const { planned, actual, why, by_hand } = report;
  const hint = typeof why?.['hint'] === 'string' ? `; ${why['hint']}` : '';
  const rows: readonly Row[] = [
    ['Link', said(report.link)],
    ['Opened', by_hand === null ? 'by its schedule' : `by hand: ${said(by_hand)}`],
    ...(why === null ? [] : [['Why', `${said(why.why)} (${said(why.code)})${said(hint)}`] satisfies Row]),
    ...(report.resumed ? [['Resumed', 'an earlier controller died in the same opening'] satisfies Row] : []),
    ['Planned', `${moment(planned.began_at)} until ${moment(planned.ends_at)} at the latest`],
    ['Started', moment(actual.started_at)],
    ['Connected from', actual.granted_at === null ? 'never connected' : moment(actual.granted_at)],
    [
      'Isolated again',
      actual.granted_at === null
        ? 'never connected'
        : actual.isolated_at === null
          ? 'NOT PROVEN'
          : `${moment(actual.isolated_at)}, proven`,
    ],
    ['Finished', moment(actual.finished_at)],
    ['Exposure', spell(report.exposure_seconds * 1_000)],
    ['Isolation', report.isolation_proven ? 'proven' : 'NOT PROVEN: see the journal'],
    ['New data', figure('bytes', sumOf(report.steps, 'bytes_added')) ?? ''],
  ];
  return terms(rows);
}

const sumOf = (steps: readonly Step[], key: string): number =>
  steps.reduce((sum, step) => sum + (typeof step[key] === 'number' ? step[key] : 0), 0);

function tripSection({ trip }: ReportDocument): readonly Html[] {
  if (trip === null) return [];
  const { by, reason, at, cut_ms, proven_ms } = trip;
  return [
    section(
      'Trip',
      terms([
        ['By', said(by)],
        ['Reason', said(reason)],
        ['At', moment(at)],
        ['Cut', timeOf(cut_ms, 'from the message to the last isolate frame', 'a board was not there')],
        ['Isolation proven', timeOf(proven_ms, 'after the decision', 'NOT PROVEN when this was written')],
      ]),
    ),
  ];
}

const timeOf = (ms: number | null | undefined, what: string, none: string): string =>
  ms === undefined ? 'not recorded' : ms === null ? none : `${spell(ms)} ${what}`;

const BASIS: Readonly<Record<string, string>> = {
  witness: 'shown by a witness',
  'read-back': "by the board's own word only",
  none: 'NOT PROVEN',
};

function evidenceParts({ evidence, evidence_grade }: ReportDocument): readonly Html[] {
  if (evidence === undefined || evidence.length === 0) return [html`<p>No readings were recorded.</p>`];
  const grade = evidence_grade === undefined ? '' : `; profiles: ${said(evidence_grade)}`;
  return evidence.map(
    ({ when, at, observed, proof, readings }) =>
      html`<h3>When ${when}, ${moment(at)}: observed ${observed}, ${BASIS[proof] ?? proof}${grade}</h3>
        ${table(
          ['', 'Name', 'Type', 'Reads', 'Asked', 'Detail', 'Rating'],
          readings.map((each) => [
            each.kind,
            said(each.name),
            said(each.type),
            each.position,
            each.age_ms === null ? 'never answered' : `${spell(each.age_ms)} before`,
            said(each.detail),
            said(each.rating ?? ''),
          ]),
        )}`,
  );
}

function proofTests({ proof_tests, evidence_grade }: ReportDocument): Html {
  if (proof_tests === undefined || proof_tests.length === 0)
    return html`<p>None was recorded for this opening.</p>`;
  const grade = evidence_grade === 'simulated' ? ' (simulated)' : '';
  return table(
    ['Contact that isolated alone', 'Outcome', 'How', 'Took', 'At'],
    proof_tests.map(({ contact, outcome, basis, took_ms, at }) => [
      said(contact),
      `${outcome}${grade}`,
      BASIS[basis] ?? basis,
      took_ms === null ? '' : spell(took_ms),
      at === null ? '' : moment(at),
    ]),
  );
}

const STEP_COLUMNS = [
  'step',
  'repository',
  'outcome',
  'took_ms',
  'files',
  'bytes',
  'bytes_added',
  'snapshot',
] as const;
const STEP_PLACED: ReadonlySet<string> = new Set(STEP_COLUMNS);

function stepTable(steps: readonly Step[]): Html {
  if (steps.length === 0) return html`<p>No step was begun.</p>`;
  return table(
    ['Step', 'Repository', 'Outcome', 'Took', 'Files', 'Size', 'New', 'Snapshot'],
    steps.map((step) =>
      STEP_COLUMNS.map((key): Cell => {
        if (key === 'outcome') return outcomeText(step);
        const value = step[key];
        return value === undefined || value === null ? '' : (figure(key, value) ?? '');
      }),
    ),
  );
}

function outcomeText({ outcome }: Step): string {
  const why = typeof outcome['why'] === 'string' ? `: ${said(outcome['why'])}` : '';
  return `${said(outcome.kind)}${why}`;
}

/** What a step says beyond its row. */
function stepDetails(step: Step, index: number): readonly Html[] {
  const more = Object.entries(step).filter(([key]) => !STEP_PLACED.has(key));
  if (more.length === 0) return [];
  const rows = more.map(([key, value]): Row => [
    label(key),
    key === 'output' ? output(value) : anything(key, value),
  ]);
  return [html`<h3>Step ${index + 1}, ${said(step.step)}</h3>`, terms(rows)];
}

/** Lines stay lines. */
const output = (value: unknown): Html =>
  html`<pre>${typeof value === 'string' ? value.split('\n').map(said).join('\n') : ''}</pre>`;

function hooks({ hooks: ran }: ReportDocument): readonly Html[] {
  if (!Array.isArray(ran) || ran.length === 0) return [];
  return [section('Programs before and after', anything('hooks', ran))];
}

function headParts(head: string | null): readonly Html[] {
  if (head === null) return [html`<p>None: the interlock gave none when this was written.</p>`];
  return [
    html`<pre>${head.trimEnd().split('\n').map(said).join('\n')}</pre>`,
    html`<p>
      Put these lines, with their blank line and a newline at the end, into a file and prove with it that the
      journal was not rewritten or cut off since: portcullis journal verify --head FILE --vkey KEY. Take KEY
      from your own copy of heads.vkey.
    </p>`,
  ];
}
