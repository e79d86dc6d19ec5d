/** States of a box that are hard to reach with real parts, as documents of the contract: the schemas are their types. */
import type { LinkState, State, WindowState } from '../../src/api/documents/state-document.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
const ahead = (ms: number): string => ago(-ms);

type Indicator = LinkState['indicators'][number];
const contact = (name: string, position: Indicator['position'], detail: string): Indicator => ({
  name,
  kind: 'contact',
  type: 'modbus',
  position,
  age_ms: 240,
  detail,
});
const witness = (name: string, position: Indicator['position'], detail: string): Indicator => ({
  name,
  kind: 'witness',
  type: 'carrier',
  position,
  age_ms: 310,
  detail,
});

const linkOf = (change: Partial<LinkState>): LinkState => ({
  link: 'vault',
  state: 'isolated',
  since: ago(5 * HOUR_MS + 12 * MINUTE_MS),
  commanded: 'isolated',
  observed: 'isolated',
  proof: 'witness',
  evidence_grade: 'field',
  indicators: [
    contact('relay', 'isolated', 'coil 1 reads 0'),
    contact('switch-port', 'isolated', 'interface administratively down'),
    witness('carrier', 'isolated', 'eth1 has no carrier'),
  ],
  ratings: { relay: 'fail-safe-independent', 'switch-port': 'holding' },
  lease: null,
  latch: null,
  session: null,
  reset_needs: [],
  session_needs: [presenceMissing('an attended session')],
  proofs: [
    {
      contact: 'relay',
      outcome: 'passed',
      basis: 'witness',
      took_ms: 71,
      at: ago(5 * HOUR_MS),
      by: 'window',
    },
    {
      contact: 'switch-port',
      outcome: 'passed',
      basis: 'witness',
      took_ms: 412,
      at: ago(29 * HOUR_MS),
      by: 'window',
    },
  ],
  commissioning: { state: 'passed', at: ago(40 * DAY_MS), grade: 'field' },
  heartbeats: [
    { heartbeat: 'prometheus', state: 'fresh', age_ms: 21_000, max_age_ms: 120_000, latch: false },
  ],
  refusals: [outsideWindow],
  exposure: {
    last_24h_ms: 41 * MINUTE_MS,
    budget_ms: 4 * HOUR_MS,
    today_ms: 41 * MINUTE_MS,
    days_7_ms: 4.6 * HOUR_MS,
    days_30_ms: 21.2 * HOUR_MS,
  },
  last_trip: null,
  ...change,
});

const presenceMissing = (what: string): LinkState['refusals'][number] => ({
  code: 'presence-missing',
  why: `${what} needs presence, or two people`,
  hint: 'hold the button of the box, or have two people give their codes',
});

const outsideWindow = {
  code: 'outside-window',
  why: 'no window of this link is in progress',
  hint: 'wait for the next one, or run it by hand',
};

const windowOf = (change: Partial<WindowState> = {}): WindowState => ({
  window: 'nightly',
  link: 'vault',
  next_opens: ahead(14 * HOUR_MS + 22 * MINUTE_MS),
  open: null,
  by_hand: 'approved',
  run_needs: [presenceMissing('running a window by hand')],
  opens: '30 2 * * *',
  timezone: 'Europe/Berlin',
  jitter_ms: 20 * MINUTE_MS,
  lasts_ms: 3 * HOUR_MS,
  steps: [
    { step: 'backup', repository: 'vault' },
    { step: 'forget', repository: 'vault' },
    { step: 'check', repository: 'vault' },
    { step: 'restore_drill', repository: 'vault' },
  ],
  refusals: [],
  last: { occurrence: '1', started_at: ago(6 * HOUR_MS), outcome: 'done', why: null },
  ...change,
});

const stateOf = (change: Partial<State>): State => ({
  at: ago(0),
  timezone: 'Europe/Berlin',
  build: 'b1946ac92492d234',
  interlock: { age_ms: 120, problem: null },
  clock: { synchronised: true, detail: 'synchronised by systemd-timesyncd' },
  journal: { size: 48_213, head: '9f3c1a77be02d4e19f3c1a77be02d4e1', writable: true },
  button: { state: 'released', why: '', present: false },
  approvers: ['ada', 'grace', 'katherine'],
  links: [linkOf({})],
  windows: [windowOf()],
  running: [],
  sessions: [],
  repositories: [
    {
      repository: 'vault',
      last_good_backup: { at: ago(5.6 * HOUR_MS), snapshot: '996c8af7', bytes: 812_400_000_000 },
      last_check: { at: ago(5.4 * HOUR_MS), outcome: 'done', why: null, data_read: '1/30' },
      last_restore_drill: {
        at: ago(3 * DAY_MS + 5 * HOUR_MS),
        outcome: 'done',
        why: null,
        snapshot: '996c8af7',
        files: 20,
      },
      interrupted: null,
      frozen: null,
    },
  ],
  anomalies: [],
  sources: [],
  notifications: [
    {
      name: 'ops',
      type: 'webhook',
      waiting: 0,
      last_delivered_at: ago(12 * MINUTE_MS),
      failures: 0,
      problem: null,
    },
    {
      name: 'mail',
      type: 'mail',
      waiting: 2,
      last_delivered_at: null,
      failures: 7,
      problem: 'connection refused by mail.example:587',
    },
  ],
  alarms: [],
  ...change,
});

/** A trip of an alarm. */
export const trip = {
  link: 'vault',
  at: ago(12 * MINUTE_MS + 33_000),
  by: 'source:alertmanager',
  reason: 'RansomCanary critical on db-7: 3 canary files rewritten',
  cut_ms: 3.4,
  contacts_ms: { relay: 3.1, 'switch-port': 3.4 },
  proven_ms: 84,
  seq: 48_190,
} as const;

const tripped = (): State =>
  stateOf({
    links: [
      linkOf({
        state: 'tripped',
        since: trip.at,
        latch: { by: trip.by, reason: trip.reason, at: trip.at, cause: '5be1a0c2' },
        reset_needs: [presenceMissing('a reset')],
        refusals: [
          {
            code: 'tripped',
            why: 'the link was tripped and is latched',
            hint: 'find out why, then reset it at the box: `portcullis reset LINK --reason TEXT`',
          },
        ],
        last_trip: trip,
      }),
    ],
    windows: [
      windowOf({
        refusals: [
          {
            code: 'tripped',
            why: 'the link was tripped and is latched',
            hint: 'find out why, then reset it at the box: `portcullis reset LINK --reason TEXT`',
          },
        ],
      }),
    ],
    repositories: [
      {
        repository: 'vault',
        last_good_backup: { at: ago(29.6 * HOUR_MS), snapshot: '996c8af7', bytes: 812_400_000_000 },
        last_check: { at: ago(29.4 * HOUR_MS), outcome: 'done', why: null, data_read: '1/30' },
        last_restore_drill: {
          at: ago(3 * DAY_MS),
          outcome: 'done',
          why: null,
          snapshot: '996c8af7',
          files: 20,
        },
        interrupted: { kind: 'cut', why: 'restic was killed by a trip', at: trip.at },
        frozen: null,
      },
    ],
  });

const connected = (): State =>
  stateOf({
    links: [
      linkOf({
        state: 'connected',
        since: ago(8 * MINUTE_MS),
        commanded: 'connected',
        observed: 'connected',
        indicators: [
          contact('relay', 'connected', 'coil 1 reads 1'),
          contact('switch-port', 'connected', 'interface up'),
          witness('carrier', 'connected', 'eth1 has carrier'),
        ],
        lease: { id: 'l-1', holder: 'nightly', ends_in_ms: 2.85 * HOUR_MS },
        refusals: [],
        exposure: {
          last_24h_ms: 49 * MINUTE_MS,
          budget_ms: 4 * HOUR_MS,
          today_ms: 8 * MINUTE_MS,
          days_7_ms: 4.7 * HOUR_MS,
          days_30_ms: 21.3 * HOUR_MS,
        },
        last_trip: { ...trip, at: ago(9 * DAY_MS) },
      }),
    ],
    windows: [windowOf({ open: { occurrence: '2', ends_in_ms: 2.85 * HOUR_MS }, run_needs: [] })],
    running: [
      {
        window: 'nightly',
        link: 'vault',
        occurrence: '2',
        phase: 'work',
        step: { number: 1, of: 4, name: 'backup', repository: 'vault' },
        files_done: 18_233,
        files_total: 61_004,
        bytes_done: 14_210_000_000,
        bytes_total: 38_900_000_000,
        bytes_per_second: 84_000_000,
        current_files: ['/srv/data/orders/2026/11/orders-20261121.parquet', '/srv/data/mail/archive.mbox'],
        left_ms: 294_000,
        running_ms: 8 * MINUTE_MS,
      },
    ],
  });

const simulated = (): State => {
  const link = linkOf({
    evidence_grade: 'simulated',
    commissioning: { state: 'passed', at: ago(HOUR_MS), grade: 'simulated' },
  });
  return stateOf({ links: [link] });
};

const stuck = (): State =>
  stateOf({
    links: [
      linkOf({
        state: 'stuck',
        since: ago(48_000),
        observed: 'connected',
        proof: 'none',
        indicators: [
          contact('relay', 'isolated', 'coil 1 reads 0'),
          contact('switch-port', 'unknown', 'no answer within 500 ms'),
          witness('carrier', 'connected', 'eth1 has carrier'),
        ],
        latch: {
          by: 'fault:stuck',
          reason: 'told to isolate and still reads connected',
          at: ago(48_000),
          cause: '77aa01de',
        },
        reset_needs: [
          presenceMissing('a reset'),
          {
            code: 'reset-unproven',
            why: 'isolation is not proven, so the latch stays',
            hint: 'make a contact or witness of this link readable again, or pull the cable; see `portcullis status`',
          },
        ],
        last_trip: {
          ...trip,
          at: ago(48_000),
          by: 'fault:stuck',
          reason: 'told to isolate and still reads connected',
          proven_ms: null,
        },
      }),
    ],
    alarms: [
      {
        at: ago(47_000),
        link: 'vault',
        code: 'stuck',
        why: 'the link was told to isolate and still reads connected: a welded contact or a lying board',
        hint: 'pull the cable by hand',
      },
    ],
  });

const unknown = (): State =>
  stateOf({
    links: [
      linkOf({
        state: 'unproven',
        since: ago(20_000),
        observed: 'unknown',
        proof: 'none',
        indicators: [
          contact('relay', 'unknown', 'no answer within 500 ms'),
          contact('switch-port', 'unknown', 'not read yet'),
          { ...witness('carrier', 'unknown', 'not read yet'), age_ms: null },
        ],
        proofs: [
          {
            contact: 'relay',
            outcome: 'failed',
            basis: 'none',
            took_ms: null,
            at: ago(HOUR_MS),
            by: 'window',
          },
          { contact: 'switch-port', outcome: 'none', basis: 'none', took_ms: null, at: null, by: null },
        ],
        heartbeats: [
          { heartbeat: 'prometheus', state: 'stale', age_ms: 400_000, max_age_ms: 120_000, latch: false },
        ],
        commissioning: { state: 'outdated', at: ago(40 * DAY_MS), grade: 'field' },
      }),
    ],
    clock: { synchronised: false, detail: 'no time server has answered since the start' },
    windows: [
      windowOf({
        refusals: [
          {
            code: 'isolation-unproven',
            why: 'the last isolation of this link is not proven',
            hint: 'look at the contacts and witnesses; the link is told to isolate until one of them answers',
          },
          {
            code: 'clock-unsynchronised',
            why: 'the clock is not synchronised',
            hint: 'see that a time server answers',
          },
        ],
      }),
    ],
  });

const silentInterlock = (): State => ({
  ...stateOf({}),
  interlock: {
    age_ms: 41_000,
    problem: {
      code: 'unreachable',
      why: 'the interlock does not answer on its socket',
      hint: 'see `systemctl status portcullis-interlock`',
    },
  },
});

/** The worst morning but one: encryption in the night's backup, a guard that skipped, and windows that were missed. */
const anomaly = (): State => ({
  ...stateOf({
    windows: [
      windowOf({
        missed: {
          scheduled: ago(30 * HOUR_MS),
          why: 'the box was not running',
          next_chance: ahead(14 * HOUR_MS),
          by: 'schedule',
        },
      }),
    ],
    anomalies: [
      {
        id: 'a20261121-0a1b2c',
        at: ago(5.6 * HOUR_MS),
        last_at: ago(5.6 * HOUR_MS),
        times: 1,
        window: 'nightly',
        occurrence: '6',
        link: 'vault',
        repository: 'vault',
        rule: 'out-of-type',
        action: 'isolate',
        why: '28 of 30 changed files are no longer what their names say (.docx, .jpg, .pdf)',
        snapshot: null,
      },
      {
        id: 'a20261119-9f00aa',
        at: ago(54 * HOUR_MS),
        last_at: ago(30 * HOUR_MS),
        times: 2,
        window: 'nightly',
        occurrence: '54',
        link: 'vault',
        repository: null,
        rule: 'source_present',
        action: 'skip',
        why: '/srv/data/mail is empty, and was 41,200 files',
        snapshot: null,
      },
    ],
    lamps: {
      lamps: [
        { lamp: 'isolated', shows: 'lit', says: 'proven', problem: null },
        { lamp: 'fault', shows: 'slow-blink', says: 'an alarm', problem: null },
      ],
      test_ends_in_ms: null,
      simulated: false,
    },
  }),
  repositories: stateOf({}).repositories.map((each) => ({
    ...each,
    last_good_backup: { at: ago(54 * HOUR_MS), snapshot: '996c8af7', bytes: 812_400_000_000 },
    frozen: {
      why: '28 of 30 changed files are no longer what their names say',
      at: ago(5.6 * HOUR_MS),
      window: 'nightly',
      anomaly: 'a20261121-0a1b2c',
    },
    recovery_point: {
      state: 'breached' as const,
      due_at: ago(6 * HOUR_MS),
      why: 'the newest good backup is of two days ago; the next window begins tonight',
      hint: 'run a window by hand: `portcullis window run`',
    },
  })),
});

const empty = (): State =>
  stateOf({
    links: [],
    windows: [],
    repositories: [],
    button: { state: 'released', why: '', present: false },
  });

const several = (): State =>
  stateOf({
    links: ['north', 'south', 'disks', 'attic'].map((name, index) =>
      linkOf(index === 2 ? { ...tripped().links[0], link: name } : { link: name }),
    ),
  });

/** The states by name; each is made anew, for it carries times. */
export const STATES = {
  isolated: () => stateOf({ links: [linkOf({ last_trip: { ...trip, at: ago(9 * DAY_MS) } })] }),
  connected,
  tripped,
  stuck,
  unknown,
  simulated,
  anomaly,
  'silent-interlock': silentInterlock,
  empty,
  several,
} satisfies Record<string, () => State>;
export type StateName = keyof typeof STATES;
