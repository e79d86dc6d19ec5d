/** Links to pages that are made to be printed: reports of windows, and months for an auditor. */
import { todayMs } from '../box.ts';
import { API } from '../requests.ts';

const MONTHS = 4;
const monthTitle = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });

interface Props {
  readonly window: string;
  readonly occurrence: string;
  readonly children: string;
}

/** The printable page of one opening. */
export function ReportPaper({ window, occurrence, children }: Props) {
  const place = `${encodeURIComponent(window)}/${encodeURIComponent(occurrence)}`;
  return (
    <a href={`${API}/reports/${place}.html`} target="_blank" rel="noopener">
      {children}
    </a>
  );
}

/** The newest months. */
export function MonthPapers() {
  const today = new Date(todayMs.value);
  const months = Array.from(
    { length: MONTHS },
    (_, back) => new Date(Date.UTC(today.getFullYear(), today.getMonth() - back, 1)),
  );
  return (
    <p class="papers">
      Months to print, for an auditor:
      {months.map((month) => (
        <a
          key={month.toISOString()}
          href={`${API}/months/${month.toISOString().slice(0, 7)}.html`}
          target="_blank"
          rel="noopener"
        >
          {monthTitle.format(month)}
        </a>
      ))}
    </p>
  );
}
