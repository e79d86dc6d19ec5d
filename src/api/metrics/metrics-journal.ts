/** Figures that follow from the journal. */
import { CUT_BUCKETS_MS } from '../../controller/chronicle/book.ts';
import type { ControllerFace } from '../../controller/face.ts';
import { counter, gauge, sample, seconds, type Family, type Labels, type Sample } from './exposition.ts';

const MS = 1_000;

/** The families. None of them is shown before the journal was read once: a counter must not begin in the middle. */
export function journalFamilies({ chronicle }: ControllerFace): Family[] {
  if (!chronicle.wasComplete) return [];
  const { book } = chronicle;
  const counters = Object.entries(book.counters).map(([name, value]) => ({ words: name.split(' '), value }));
  const of = (kind: string, labels: readonly string[], scale = 1): readonly Sample[] =>
    counters.flatMap(({ words: [first, ...rest], value }) =>
      first === kind ? sample(labelled(labels, rest), value / scale) : [],
    );
  const proofs = new Map(book.proofs.map((proof) => [`${proof.link} ${proof.contact}`, proof]));
  const passed = new Map(
    book.proofs
      .filter(({ outcome }) => outcome === 'passed')
      .map((proof) => [`${proof.link} ${proof.contact}`, proof]),
  );
  return [
    counter(
      'link_exposure_seconds_total',
      'Time for which a link was, or may have been, connected; ended stretches.',
      of('exposure', ['link'], MS),
    ),
    counter('link_connections_total', 'How often a link was connected.', of('connections', ['link'])),
    counter('trips_total', 'Trips by link and by what tripped.', of('trips', ['link', 'by'])),
    counter('link_alarms_total', 'Alarms by link and kind.', of('alarms', ['link', 'alarm'])),
    counter('windows_total', 'Windows by how they ended.', of('windows', ['window', 'outcome'])),
    histogram(
      'trip_cut_seconds',
      'From the decision to the last isolate frame on its wire.',
      book.counters,
      'cut',
    ),
    histogram('trip_proven_seconds', 'From the decision to proven isolation.', book.counters, 'proven'),
    gauge(
      'link_last_isolation_timestamp_seconds',
      'When a link was last proven isolated after it was connected or tripped.',
      Object.entries(book.isolated).flatMap(([link, at]) => sample({ link }, seconds(at))),
    ),
    gauge(
      'proof_test_last_success_timestamp_seconds',
      'When a contact was last seen to isolate its link alone.',
      [...passed.values()].flatMap(({ link, contact, at }) => sample({ link, contact }, seconds(at))),
    ),
    gauge(
      'proof_test_last_took_seconds',
      'How long that took.',
      [...passed.values()].flatMap(({ link, contact, took_ms }) =>
        sample({ link, contact }, took_ms === null ? null : took_ms / MS),
      ),
    ),
    gauge(
      'proof_test_passed',
      'The last proof test of a contact passed.',
      [...proofs.values()].flatMap(({ link, contact, outcome }) =>
        sample({ link, contact }, outcome === 'passed'),
      ),
    ),
    gauge('journal_read_entries', 'Entries that are in these figures.', sample({}, chronicle.through)),
  ];
}

const labelled = (labels: readonly string[], words: readonly string[]): Labels =>
  Object.fromEntries(labels.map((label, i) => [label, words[i] ?? '']));

function histogram(
  name: string,
  help: string,
  counters: Readonly<Record<string, number>>,
  kind: string,
): Family {
  const links = Object.keys(counters).flatMap((each) => {
    const [first, link = ''] = each.split(' ');
    return first === `${kind}-count` ? [link] : [];
  });
  const samples = links.flatMap((link): Sample[] => {
    const count = counters[`${kind}-count ${link}`] ?? 0;
    const buckets = CUT_BUCKETS_MS.map((ms) => ({
      suffix: '_bucket' as const,
      labels: { link, le: String(ms / MS) },
      value: counters[`${kind}-${ms} ${link}`] ?? 0,
    }));
    return [
      ...buckets,
      { suffix: '_bucket', labels: { link, le: '+Inf' }, value: count },
      { suffix: '_sum', labels: { link }, value: (counters[`${kind}-sum ${link}`] ?? 0) / MS },
      { suffix: '_count', labels: { link }, value: count },
    ];
  });
  return { name: `portcullis_${name}`, type: 'histogram', help, samples };
}
