/**
 * What becomes of every command of the pages, in the order in which they are followed on one box. A command that is not run
 * here names the test that runs it, or says why nothing does. `commands.test.ts` holds this table equal to the pages.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Box } from './box.ts';
import { elsewhere, type Followed, goesOn, meanwhile, notRun, type Story, typed } from './rows.ts';

const CONTAINER = 'test/systemd/box.test.ts';
const INSTALL = 'test/install/install.test.ts';
/** In its long form, in clean trees of Debian under their own systemd. */
const RELEASES = 'test/install/releases.test.ts';
const DISKS = 'test/controller/attend-disks.test.ts';
const SAMPLE = join(import.meta.dirname, '../sources/samples/alertmanager/firing.json');
const CHANGES_MACHINE = 'changes the machine, and does nothing of ours';
const CHANGES_DEVICES =
  'changes the rules of the machine; bin/install places the same file, which a test reads';
const PROFILES = 'test/hardware/profiles-page.test.ts';

/** Pages whose commands are all run by one other test. */
export const FOLLOWED: readonly Followed[] = [
  {
    page: 'docs/restore.md',
    test: 'test/reports/restore.test.ts',
    proof: 'every command of the page does what the page says',
  },
];

/** Commands that are not followed on a box: the builds of hardware/, and the page that another test follows in part by name. */
export const NOT_ON_A_BOX: readonly Story<Box>[] = [
  {
    page: 'docs/profiles.md',
    steps: [
      elsewhere('bin/portcullis profile check firmware-profiles/kmtronic', PROFILES, 'profile check ${file}'),
      elsewhere(
        'bin/portcullis emulate firmware-profiles/kmtronic',
        PROFILES,
        'emulate ${file} --pty /tmp/board',
      ),
      elsewhere('mbpoll -m rtu -a 1 -b 9600 -P none -t 0 -r 1 -q', PROFILES, '-r 1 -q /tmp/board 1'),
      elsewhere('mbpoll -m rtu -a 1 -b 9600 -P none -t 0 -r 1 -c 8', PROFILES, '-r 1 -c 8 -1 -q /tmp/board'),
      elsewhere("cat >try.yaml <<'END'", PROFILES, "configure('try.yaml'"),
      elsewhere(
        'bin/portcullis isolate --all --config try.yaml',
        PROFILES,
        'isolate --all --config try.yaml',
      ),
      elsewhere('bin/portcullis profile check firmware-profiles/lc-tech', PROFILES, 'profile check ${file}'),
      elsewhere(
        'bin/portcullis emulate firmware-profiles/lc-tech',
        PROFILES,
        'emulate ${file} --pty /tmp/board',
      ),
      elsewhere('printf ', PROFILES, 'printf'),
      elsewhere("cat >try-serial.yaml <<'END'", PROFILES, "configure('try-serial.yaml'"),
      elsewhere(
        'bin/portcullis isolate --all --config try-serial',
        PROFILES,
        'isolate --all --config try-serial.yaml',
      ),
    ],
  },
  {
    page: 'hardware/README.md',
    steps: [
      notRun('sudo install -m 0644 hardware/udev/65-portcullis.rules', CHANGES_DEVICES),
      notRun('sudo udevadm control --reload', CHANGES_DEVICES),
      notRun('ls -l /dev/serial/by-path/', CHANGES_DEVICES),
    ],
  },
  ...['relay-and-switch-port', 'relay-hat', 'two-relays'].map((build): Story<Box> => ({
    page: `hardware/${build}.md`,
    steps: [
      elsewhere(
        'portcullis check',
        'test/hardware/pages.test.ts',
        'its configuration is one that check accepts',
      ),
      notRun('portcullis commission vault', 'needs the circuit of that page, which nobody here has built'),
    ],
  })),
];

const cause = async (box: Box): Promise<string> => box.cause();
const isIsolated = /^vault: ISOLATED since/m;

const fails = (command: string): boolean => spawnSync('sh', ['-c', command]).status !== 0;
const immutableLacks = (): string | null =>
  fails('f=$(mktemp) && chattr +i "$f" && chattr -i "$f" && rm "$f"')
    ? 'nothing can be made immutable here'
    : null;
const networkLacks = (): string | null =>
  fails('unshare --net true') ? 'no network namespace can be made here' : null;

/** Trips the link with an alert as the page of Alertmanager describes it. */
async function alerted(box: Box): Promise<void> {
  const { body } = JSON.parse(readFileSync(SAMPLE, 'utf8')) as { body: object };
  const alert = join(box.checkout, 'firing.json');
  writeFileSync(alert, JSON.stringify(body));
  const token = readFileSync(join(box.scenario.directory, 'etc/alertmanager.token'), 'utf8').trim();
  const url = `https://127.0.0.1:${box.scenario.tripPort}/trip/alertmanager`;
  const { code, said } = await box.terminal.run(
    `curl -fsS ${url} -H 'Authorization: Bearer ${token}' --data-binary @${alert}`,
  );
  if (code !== 0) throw new Error(`the alert was not taken: ${said}`);
  await box.cause();
}

/** A token that may read and cut, for the requests of docs/api.md. */
async function makeToken(box: Box): Promise<void> {
  const { stdout } = await box.scenario.command(
    'token',
    'create',
    'curl',
    '--scope',
    'read',
    'trip',
    '--json',
  );
  box.token = (JSON.parse(stdout) as { secret: string }).secret;
}

const INSTALLING: Story<Box> = {
  page: 'docs/install.md',
  steps: [
    notRun('sudo apt-get update', CHANGES_MACHINE),
    notRun('sudo apt-get -y install git', CHANGES_MACHINE),
    notRun('timedatectl', 'says how the clock of the machine stands, whatever we do'),
    notRun('git clone ADDRESS-OF-THIS-REPOSITORY', 'the repository has no public address yet'),
    elsewhere('sudo bin/install --with-watchdog', INSTALL, "install('--with-watchdog')"),
    elsewhere('systemctl status portcullis-interlock', CONTAINER, "'status', INTERLOCK, CONTROLLER"),
    typed('sudo portcullis status', { says: [isIsolated] }),
    elsewhere('sudo portcullis setup', 'test/install/setup.test.ts', 'a person is asked again'),
    typed('sudo portcullis check', { says: ['valid, 0 errors'] }),
    elsewhere('sudo systemctl restart portcullis-interlock', CONTAINER, "'systemctl', 'restart', INTERLOCK"),
    typed('sudo portcullis status', { says: [isIsolated] }),
    meanwhile((box) => writeFileSync(join(box.checkout, 'my.password'), 'secret\n')),
    typed('sudo install -o portcullis-controller', {
      names: () => [['portcullis-controller', userInfo().username]],
      look: (_, { scenario }) =>
        readFileSync(join(scenario.directory, 'etc/my.password'), 'utf8') === 'secret\n',
    }),
    elsewhere(
      'sudo portcullis commission vault',
      'test/commissioning/command.test.ts',
      'asks, takes an answer',
    ),
    goesOn('sudo portcullis attend vault --for 10m', 'connected;', { beside: 1 }),
    typed('sudo restic -r rest:http://10.0.0.2:8000/', { says: ['created restic repository'] }),
    meanwhile(({ scenario }) => scenario.board.standing('isolated')),
    typed('sudo portcullis window run nightly'),
    meanwhile(async ({ scenario }) => {
      await scenario.entry('controller.window-finished', (data) => data['outcome'] === 'done');
    }),
    goesOn('sudo portcullis journal tail --follow', 'controller.window-finished'),
    typed("sudo portcullis trip vault --reason 'trying it'", { says: ['vault: '] }),
    typed('sudo portcullis status', { says: ['trying it', '(cause '] }),
    typed('sudo portcullis reset vault', { names: async (box) => [['CAUSE-FROM-STATUS', await cause(box)]] }),
    typed('sudo portcullis notify test', { says: ['chat'] }),
    notRun('cd portcullis && git pull', 'the repository has no public address yet'),
    elsewhere('sudo bin/install ', INSTALL, '(await install()).exitCode'),
    elsewhere('sudo /opt/portcullis/bin/install --roll-back', INSTALL, "install('--roll-back')"),
    elsewhere(
      'sudo /opt/portcullis/bin/uninstall ',
      RELEASES,
      "box.person('sudo /opt/portcullis/bin/uninstall')",
    ),
    elsewhere('sudo /opt/portcullis/bin/uninstall --purge', RELEASES, 'bin/uninstall --purge'),
  ],
};

const TRIPPED: Story<Box> = {
  page: 'docs/when-it-is-tripped.md',
  steps: [
    meanwhile(alerted),
    typed('portcullis status', {
      says: ['TRIPPED since', 'source:alertmanager'],
      look: ({ said }, box) => (box.status = said) !== '',
    }),
    typed('portcullis journal tail -n 50', { says: ['link.tripped'] }),
    typed('portcullis journal verify'),
    typed('portcullis report list', { says: ['nightly'] }),
    typed('portcullis reset vault --reason "false alarm: migration', { code: 1, says: ['cause'] }),
    typed('portcullis reset vault --reason "false alarm: migration', {
      names: async (box) => [['1f0c9a3e', await cause(box)]],
    }),
    meanwhile((box) => box.trip()),
    typed('portcullis reset vault --reason "false alarm" --cause 1f0c9a3e --approve', {
      names: async (box) => [['1f0c9a3e', await cause(box)]],
    }),
  ],
};

const API: Story<Box> = {
  page: 'docs/api.md',
  steps: [
    typed("echo 'a long password' | bin/portcullis user add ada"),
    typed('bin/portcullis user list', { says: [/^ada\b.*approver/m] }),
    typed('bin/portcullis token create prometheus --scope metrics'),
    typed('bin/portcullis token create pager --scope trip', {
      look: ({ said }, box) => (box.tokenId = /\((\S+), trip/.exec(said)?.[1] ?? '') !== '',
    }),
    typed('bin/portcullis token list', { says: ['prometheus', 'pager'] }),
    typed('bin/portcullis token revoke ID', { names: ({ tokenId }) => [['ID', tokenId]] }),
    meanwhile(makeToken),
    typed('curl -s -H "Authorization: Bearer TOKEN" BOX/api/v1/state', { says: ['"links":', '"isolated"'] }),
    typed('curl -s -X POST -H "Authorization: Bearer TOKEN" -H', { says: ['"vault"'] }),
    goesOn('curl -sN -H "Authorization: Bearer TOKEN" BOX/api/v1/events', 'event: alive', { code: null }),
    meanwhile((box) => box.askReset()),
    typed('curl -s -H "Authorization: Bearer TOKEN" \'BOX/api/v1/journal?type', {
      says: ['smoke in the rack', '"next"'],
    }),
    typed('curl -s -X POST -H "Authorization: Bearer TOKEN" -H'),
    typed('curl -s -H "Authorization: Bearer TOKEN" BOX/api/v1/journal/verification', {
      says: ['"state":"verified"'],
      again: true,
    }),
    typed('curl -s -H "Authorization: Bearer TOKEN" BOX/api/v1/state | jq .anomalies', {
      says: [/^\[/m],
      lacks: () => (fails('command -v jq') ? 'jq is not installed' : null),
    }),
    typed('curl -s -H "Authorization: Bearer TOKEN" \'BOX/api/v1/reports', { says: ['nightly'] }),
    typed('curl -s -H "Authorization: Bearer TOKEN" BOX/api/v1/months/2026-11.html', { says: ['<html'] }),
  ],
};

/** Pages followed on one box, one after the other. */
export const STORIES: readonly Story<Box>[] = [
  {
    page: 'docs/commissioning.md',
    steps: [
      goesOn('portcullis commission vault ', 'Commissioning of vault', { code: 1 }),
      typed('portcullis commission vault --yes', { says: ['PASSED on EMULATED boards'] }),
      goesOn('portcullis commission vault --json', '"event":"begun"', { code: 1 }),
    ],
  },
  INSTALLING,
  API,
  {
    page: 'docs/attended.md',
    steps: [
      goesOn('portcullis attend vault --for 30m', 'connected;'),
      elsewhere('portcullis attend vault --for 30m', DISKS, 'it is read from and not written to'),
    ],
  },
  {
    page: 'docs/heartbeats.md',
    steps: [
      meanwhile(({ scenario }) => {
        const token = readFileSync(join(scenario.directory, 'etc/cron.token'), 'utf8');
        writeFileSync(join(scenario.directory, 'heartbeat.header'), `Authorization: Bearer ${token}`);
      }),
      typed('* * * * * root /usr/local/bin/all-is-well && curl', {
        as: (line) => line.replace('* * * * * root /usr/local/bin/all-is-well', 'true'),
        names: ({ scenario }) => [
          ['/etc/portcullis-heartbeat.header', join(scenario.directory, 'heartbeat.header')],
        ],
        look: async (_, { scenario }) => {
          const status = await scenario.client().status();
          const cron = status.sources.find(({ source }) => source === 'cron');
          return cron?.last !== null;
        },
      }),
    ],
  },
  {
    page: 'docs/notifications.md',
    steps: [
      typed('portcullis notify test ', { says: ['webhook', 'chat'] }),
      typed('portcullis notify test chat', { says: ['chat'] }),
    ],
  },
  {
    page: 'docs/reports.md',
    steps: [
      typed('portcullis report list', { says: ['nightly'] }),
      typed('portcullis report show nightly --html > report.html'),
      typed('portcullis journal head > head.txt'),
      typed('cp /var/lib/portcullis/journal/heads.vkey', {
        names: ({ scenario }) => [['/var/lib/portcullis', scenario.state]],
      }),
      typed('portcullis journal verify --head head.txt --vkey heads.vkey'),
      typed('portcullis report month 2026-11'),
      typed('portcullis report month 2026-11 --html', {
        look: (_, { checkout }) => readFileSync(join(checkout, '2026-11.html'), 'utf8').includes('</html>'),
      }),
    ],
  },
  {
    page: 'docs/sources/README.md',
    steps: [
      typed('jq .body test/sources/samples/alertmanager/firing.json', {
        names: () => [['test/sources/samples/alertmanager/firing.json', SAMPLE]],
      }),
      typed('portcullis source test alertmanager firing.json', { says: ['would CUT'] }),
    ],
  },
  {
    page: 'docs/sources/generic.md',
    steps: [
      typed('secret=$(sed -n 1p scripts.secret)', {
        names: ({ scenario }) => [['scripts.secret', join(scenario.directory, 'etc/scripts.secret')]],
        look: async (_, { scenario }) => (await scenario.link())?.latch?.by === 'source:scripts',
      }),
    ],
  },
  {
    page: 'docs/sources/sns.md',
    steps: [notRun('aws sns confirm-subscription', 'needs an account at Amazon and a topic')],
  },
  {
    page: 'docs/sources/wazuh.md',
    steps: [
      typed('#!/bin/sh', {
        as: (script, { checkout }) => {
          writeFileSync(join(checkout, 'custom-portcullis'), script, { mode: 0o750 });
          const sample = join(SAMPLE, '../../wazuh');
          return `jq .body ${sample}/level-12.json >alert.json && ./custom-portcullis alert.json TOKEN https://BOX:8470/trip/wazuh`;
        },
        names: ({ scenario }) => [
          ['TOKEN', readFileSync(join(scenario.directory, 'etc/wazuh.token'), 'utf8').trim()],
        ],
        look: async (_, { scenario }) => (await scenario.link())?.latch?.by === 'source:wazuh',
      }),
    ],
  },
  TRIPPED,
  {
    page: 'docs/systemd.md',
    steps: [elsewhere('systemctl status portcullis-interlock', CONTAINER, "'status', INTERLOCK, CONTROLLER")],
  },
  {
    page: 'docs/attach.md',
    steps: [
      typed('mkdir -p /mnt/vault && chmod 0 /mnt/vault', {
        lacks: immutableLacks,
        names: ({ scenario }) => [['/mnt/vault', join(scenario.directory, 'mnt')]],
        look: (_, { scenario }) => {
          const mountPoint = join(scenario.directory, 'mnt');
          const isWritable = !fails(`touch '${mountPoint}/x'`);
          execFileSync('chattr', ['-i', mountPoint]);
          return !isWritable;
        },
      }),
      notRun(
        'systemctl enable --now portcullis-mount.socket',
        'the helper has not run under a real systemd yet',
      ),
      typed('ip route add unreachable', {
        lacks: networkLacks,
        as: (line) => `unshare --net sh -c '${line}'`,
      }),
    ],
  },
];
