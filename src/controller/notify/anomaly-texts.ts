/** What was unusual in a window, as sentences. Pure. */
import type { AnomalyReport, WindowReport } from '../report.ts';
import type { Draft } from './notice.ts';
import { words } from './texts.ts';

const DONE = {
  trip: 'the link was tripped',
  isolate: 'the backup was cut',
  hold: 'nothing is forgotten',
  skip: 'the window was skipped',
  warn: 'nothing is held',
} as const;

/** One notice per finding. */
export const anomaliesFound = (report: WindowReport): readonly Draft[] =>
  (report.anomalies ?? []).map((found) => anomalyFound(report, found));

function anomalyFound({ window, link, occurrence }: WindowReport, found: AnomalyReport): Draft {
  const { id, rule, repository, action, why, numbers, snapshot } = found;
  const where = repository === null ? `window ${window}` : `window ${window}, repository ${repository}`;
  return {
    type: 'portcullis.anomaly.found',
    severity: action === 'warn' ? 'warning' : 'critical',
    link,
    window,
    title: `${where}: ${words(rule)}, ${DONE[action]}`,
    text: `${words(why)}.`,
    hint:
      id === null
        ? 'Look at it when you have the time; the report of the window has the figures.'
        : `Look at the sources and the snapshot first. Then: portcullis anomaly release ${id} --reason …`,
    data: {
      occurrence: words(occurrence),
      id,
      rule: words(rule),
      repository,
      action,
      snapshot,
      numbers: { ...numbers },
    },
    repeats: null,
  };
}
