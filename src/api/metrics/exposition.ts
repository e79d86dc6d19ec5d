/** The text format of Prometheus (0.0.4): families of samples, escaped. */

/** Labels of one sample. */
export type Labels = Readonly<Record<string, string>>;

/** One value; `suffix` is for the parts of a histogram. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** A metric with all its samples. */
export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const numberText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return String(value);
};

function sampleText(name: string, { labels, value, suffix }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${suffix ?? ''}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`;
}

/** The whole text; a family without samples is left out. */
export const expositionOf = (families: readonly Family[]): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${type}`,
        ...samples.map((each) => sampleText(name, each)),
        '',
      ].join('\n'),
    )
    .join('');

const MS = 1_000;

/** A family of gauges. */
export const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `portcullis_${name}`,
  type: 'gauge',
  help,
  samples,
});

/** A family of counters. */
export const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  ...gauge(name, help, samples),
  type: 'counter',
});

/** One sample, or none where the value is not known. */
export const sample = (labels: Labels, value: number | boolean | null | undefined): readonly Sample[] =>
  value === null || value === undefined ? [] : [{ labels, value: Number(value) }];

/** Seconds since the epoch of an RFC 3339 time. */
export const seconds = (at: string | null | undefined): number | null =>
  at === null || at === undefined ? null : Date.parse(at) / MS;
