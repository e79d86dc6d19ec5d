/**
 * Figures for Prometheus. Names follow its conventions: a prefix, base units, `_total` on what only grows. What is not known is
 * left out, never 0. Counters come from the journal, so that a restart of this controller does not reset them.
 */
import type { ControllerFace } from '../../controller/face.ts';
import type { LinkStatus, Status } from '../../protocol/messages.ts';
import { stateName } from '../../protocol/messages.ts';
import type { Desk } from '../desk.ts';
import { counter, expositionOf, gauge, sample, seconds, type Family, type Sample } from './exposition.ts';
import type { Known } from '../documents/interlock-now.ts';
import { journalFamilies } from './metrics-journal.ts';

const MS = 1_000;

/** The text of `/metrics`. */
export function metricsOf(desk: Desk, known: Known): string {
  const { face } = desk;
  // What an interlock said that is gone is not shown as if it were so now.
  const status = known.problem === null ? known.status : null;
  return expositionOf([
    gauge('build_info', 'Which program this is; always 1.', sample({ version: face.build }, 1)),
    gauge('interlock_up', 'Whether the interlock is heard.', sample({}, known.problem === null)),
    ...(status === null ? [] : [...linkFamilies(status), ...linkAges(status), ...boxFamilies(status)]),
    ...journalFamilies(face),
    ...repositoryFamilies(face),
    ...ownFamilies(desk),
  ]);
}

function linkFamilies({ links }: Status): Family[] {
  const perLink = (value: (link: LinkStatus) => number | boolean | null): readonly Sample[] =>
    links.flatMap((link) => sample({ link: link.link }, value(link)));
  return [
    gauge(
      'link_connected',
      'Evidence says connected; unknown counts as connected.',
      perLink(({ observed }) => observed !== 'isolated'),
    ),
    gauge(
      'link_isolation_proven',
      'Isolation rests on evidence now.',
      perLink(
        ({ observed, state, proof }) =>
          observed === 'isolated' && (state === 'isolated' || state === 'tripped') && proof !== 'none',
      ),
    ),
    gauge(
      'link_state',
      'State of the link: 1 for the one it is in.',
      links.flatMap(({ link, state }) =>
        stateName.options.flatMap((each) => sample({ link, state: each }, each === state)),
      ),
    ),
    gauge(
      'link_latched',
      'A trip waits for a reset.',
      perLink(({ latch }) => latch !== null),
    ),
    gauge(
      'link_refusals',
      'What would refuse a lease now, besides that no window is open.',
      perLink(({ refusals }) => refusals.filter(({ code }) => code !== 'outside-window').length),
    ),
    gauge(
      'link_commissioned',
      'Its commissioning passed and still fits the configuration.',
      perLink(({ commissioning }) => commissioning.state === 'passed'),
    ),
    gauge(
      'link_exposure_last_day_seconds',
      'Exposure within the last 24 hours.',
      perLink(({ exposure }) => exposure.last_24h_ms / MS),
    ),
    gauge(
      'link_exposure_budget_seconds',
      'Exposure allowed in any 24 hours.',
      perLink(({ exposure }) => exposure.budget_ms / MS),
    ),
  ];
}

function linkAges({ links }: Status): Family[] {
  return [
    gauge(
      'indicator_age_seconds',
      'Age of the last reading of a contact or witness.',
      links.flatMap(({ link, indicators }) =>
        indicators.flatMap(({ name, kind, age_ms }) =>
          sample({ link, indicator: name, kind }, age_ms === null ? null : age_ms / MS),
        ),
      ),
    ),
    gauge(
      'heartbeat_age_seconds',
      'Age of the last sign of life of a monitoring source.',
      links.flatMap(({ link, heartbeats }) =>
        heartbeats.flatMap(({ heartbeat, age_ms }) =>
          sample({ link, heartbeat }, age_ms === null ? null : age_ms / MS),
        ),
      ),
    ),
  ];
}

function boxFamilies({ windows, sources, journal, clock, button }: Status): Family[] {
  return [
    gauge(
      'window_next_open_timestamp_seconds',
      'When a window opens next, without jitter.',
      windows.flatMap(({ window, next_opens }) => sample({ window }, seconds(next_opens))),
    ),
    gauge(
      'window_open',
      'The window is open.',
      windows.flatMap(({ window, open }) => sample({ window }, open !== null)),
    ),
    gauge(
      'source_last_heard_timestamp_seconds',
      'When a source was last heard.',
      sources.flatMap(({ source, last }) => sample({ source }, seconds(last?.at))),
    ),
    counter(
      'source_unverified_requests_total',
      'Requests in the name of a source that did not verify, since the interlock began.',
      sources.flatMap(({ source, unverified }) => sample({ source }, unverified)),
    ),
    gauge('journal_entries', 'Entries of the journal.', sample({}, journal.size)),
    gauge(
      'journal_writable',
      'The journal can be written; otherwise nothing is connected.',
      sample({}, journal.writable),
    ),
    gauge(
      'state_disk_free_bytes',
      'Room where the journal lies; when nothing is left, nothing is connected.',
      sample({}, journal.disk?.free_bytes),
    ),
    gauge('state_disk_low', 'That room runs low.', sample({}, journal.disk?.low)),
    gauge(
      'clock_synchronised',
      'The clock of the box is synchronised; otherwise no window opens.',
      sample({}, clock.synchronised),
    ),
    gauge(
      'button_usable',
      'The button of the box is read.',
      sample({}, button === undefined ? null : button.state !== 'dead' && button.state !== 'unknown'),
    ),
  ];
}

function repositoryFamilies({ config, ledger, chronicle }: ControllerFace): Family[] {
  const names = Object.keys(config.repositories);
  const backup = (repository: string) => ledger.repository(repository).last_good_backup;
  const last = (step: string): readonly Sample[] =>
    names.flatMap((repository) =>
      sample({ repository }, seconds(chronicle.lastStepOf(repository, `${step} done`)?.at)),
    );
  return [
    gauge(
      'backup_last_success_timestamp_seconds',
      'When the last good backup was made.',
      names.flatMap((repository) => sample({ repository }, seconds(backup(repository)?.at))),
    ),
    gauge(
      'backup_last_success_bytes',
      'Size of what the last good backup holds.',
      names.flatMap((repository) => sample({ repository }, backup(repository)?.bytes)),
    ),
    gauge(
      'check_last_success_timestamp_seconds',
      'When restic last found a repository sound.',
      last('check'),
    ),
    gauge(
      'restore_drill_last_success_timestamp_seconds',
      'When files were last restored and found equal.',
      last('restore_drill'),
    ),
    gauge(
      'repository_interrupted',
      'The last run on it was interrupted; the next window recovers it first.',
      names.flatMap((repository) => sample({ repository }, ledger.repository(repository).mark !== null)),
    ),
  ];
}

function ownFamilies({ face, streams }: Desk): Family[] {
  const notifications = face.notifications();
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    gauge('window_running', 'Windows that are at work.', sample({}, face.running.show().length)),
    gauge(
      'notifications_waiting',
      'Notices that a destination has not taken yet.',
      notifications.flatMap(({ name, waiting }) => sample({ destination: name }, waiting)),
    ),
    gauge(
      'notification_failing_attempts',
      'Failures of the notice that is next.',
      notifications.flatMap(({ name, failures }) => sample({ destination: name }, failures)),
    ),
    gauge('event_streams', 'Pages that follow the event stream.', sample({}, streams.readers)),
    counter(
      'event_streams_dropped_total',
      'Streams whose readers were too slow.',
      sample({}, streams.dropped),
    ),
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the controller.',
      samples: sample({}, rss),
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of the controller.',
      samples: sample({}, (user + system) / 1e6),
    },
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'When the controller began.',
      samples: sample({}, Math.round(Date.now() / MS - process.uptime())),
    },
  ];
}
