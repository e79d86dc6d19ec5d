/** Lists and tables of a report's page; what nobody has foreseen is shown, too. */
import { html, type Html } from '../../listener/html.ts';
import { figure, label } from './figures.ts';

const MOST_ROWS = 500;
const MOST_COLUMNS = 12;
const MOST_DEPTH = 5;
const LONG_WORD = /[^\s-]{25}/;

/** A cell or a value: text is escaped, HTML is not. */
export type Cell = string | Html;
export type Row = readonly [term: string, value: Cell];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Terms and what they are. Nothing without rows. */
export const terms = (rows: readonly Row[]): Html =>
  rows.length === 0
    ? html``
    : html`<dl>
        ${rows.map(
          ([term, value]) =>
            html`<dt>${term}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>`;

/** A table; what is too long to print is counted. */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  const left = rows.length - MOST_ROWS;
  const body = rows.slice(0, MOST_ROWS);
  return html`<table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${body.map(
          (row) =>
            html`<tr>
              ${row.map(cellHtml)}
            </tr>`,
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p>and ${left} more: see the JSON</p>` : ''}`;
}

/** Words are not torn apart; what has no place to break (a digest) may be. */
const cellHtml = (cell: Cell): Html =>
  typeof cell === 'string' && LONG_WORD.test(cell)
    ? html`<td class="long">${cell}</td>`
    : html`<td>${cell}</td>`;

/** A section with its heading. */
export const section = (title: string, ...content: readonly Html[]): Html =>
  html`<h2>${title}</h2>
    ${content}`;

/** Anything that a report carries. */
export function anything(key: string, value: unknown, depth = 0): Html {
  const single = figure(key, value);
  if (single !== null) return html`${single}`;
  if (depth >= MOST_DEPTH) return html`(deeper than is shown: see the JSON)`;
  if (Array.isArray(value)) return list(key, value as readonly unknown[], depth);
  if (!isRecord(value)) return html``;
  return terms(entries(value).map(([name, inner]): Row => [label(name), anything(name, inner, depth + 1)]));
}

const entries = (value: Readonly<Record<string, unknown>>): readonly [string, unknown][] =>
  Object.entries(value).slice(0, MOST_ROWS);

function list(key: string, values: readonly unknown[], depth: number): Html {
  if (values.length === 0) return html`none`;
  const shown = values.slice(0, MOST_ROWS);
  const left = values.length - shown.length;
  const more = left > 0 ? html`<p>and ${left} more: see the JSON</p>` : html``;
  if (!shown.every(isRecord))
    return html`${shown.map((each) => html`<p>${anything(key, each, depth + 1)}</p>`)}${more}`;
  const columns = [...new Set(shown.flatMap((each) => Object.keys(each)))];
  if (columns.length > MOST_COLUMNS)
    return html`${shown.map((each) => anything(key, each, depth + 1))}${more}`;
  return table(
    columns.map(label),
    values.map((each) =>
      columns.map((name): Cell => {
        const inner = isRecord(each) ? each[name] : undefined;
        return inner === undefined ? '' : anything(name, inner, depth + 1);
      }),
    ),
  );
}
