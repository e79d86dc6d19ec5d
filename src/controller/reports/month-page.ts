/** The summary of a month as a page to print, and as text for a terminal. */
import { html, type Html } from '../../listener/html.ts';
import { moment, said } from './figures.ts';
import type { MonthDocument } from './month-document.ts';
import { type MonthSection, sectionsOf, titleOf, verdictOf } from './month-lines.ts';
import { paperOf } from './paper.ts';
import { section, table } from './parts.ts';

const simulatedWords = ({ simulated }: MonthDocument): string =>
  `SIMULATED: ${simulated.map(said).join(', ')}: emulated boards. What is said of these links proves nothing about hardware.`;

const made = ({ from, until, timezone, made_at, build }: MonthDocument): string =>
  `From ${moment(from)} until ${moment(until)} (a month of ${said(timezone)}). Made ${moment(made_at)} by build ${said(build)}.`;

const HOW_TO_PROVE =
  'Put these lines, with their blank line and a newline at the end, into a file where this box cannot reach. `portcullis journal verify --head FILE --vkey KEY` proves with it later that nothing up to here was rewritten.';

/** The page. */
export function monthPage(month: MonthDocument): string {
  const tone = month.journal.state === 'verified' ? 'good' : 'bad';
  return paperOf(titleOf(month), [
    html`<h1>${titleOf(month)}</h1>`,
    html`<p>${made(month)}</p>`,
    html`<p class="verdict ${tone}">${verdictOf(month)}</p>`,
    ...(month.simulated.length === 0 ? [] : [html`<p class="simulated">${simulatedWords(month)}</p>`]),
    ...sectionsOf(month).map(sectionHtml),
    section('Signed head of the journal', headHtml(month.journal.signed_head)),
  ]);
}

const sectionHtml = ({ title, sentences, heads, rows, none }: MonthSection): Html =>
  section(
    title,
    ...sentences.map((each) => html`<p>${each}</p>`),
    rows.length === 0 ? html`<p>${none}</p>` : table(heads, rows),
  );

const headHtml = (head: string | null): Html =>
  head === null
    ? html`<p>The interlock gave none.</p>`
    : html`<pre>${head.trimEnd().split('\n').map(said).join('\n')}</pre>
        <p>${HOW_TO_PROVE}</p>`;

/** Lines for a terminal. */
export function monthLines(month: MonthDocument): readonly string[] {
  return [
    titleOf(month),
    made(month),
    verdictOf(month),
    ...(month.simulated.length === 0 ? [] : [simulatedWords(month)]),
    ...sectionsOf(month).flatMap(sectionLines),
    '',
    'Signed head of the journal',
    ...(month.journal.signed_head ?? 'the interlock gave none').trimEnd().split('\n').map(said),
  ];
}

function sectionLines({ title, sentences, heads, rows, none }: MonthSection): readonly string[] {
  if (rows.length === 0) return ['', title, ...sentences.map((each) => `  ${each}`), `  ${none}`];
  const all = heads.some((head) => head !== '') ? [heads, ...rows] : rows;
  const widths = heads.map((_head, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const lined = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return ['', title, ...[...sentences, ...lined].map((each) => `  ${each}`)];
}
