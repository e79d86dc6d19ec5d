/**
 * `sudo bin/install` in a clean tree of Debian 12 and of Debian 13, by a person who is not root, and everything that
 * docs/install.md says of upgrades and of bin/uninstall, under the systemd of that release. The tests of one release
 * follow each other. Long form only: a tree takes some minutes, and packages come over the network.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/protocol/messages.ts';
import { commissionedAsConfigured } from '../commissioning/commissioned.ts';
import { skipLoudly } from '../contacts/bench.ts';
import type { PlayedBoard } from '../faults/board.ts';
import { eventually } from '../faults/child.ts';
import { boardIn, CONFIG } from '../systemd/appliance.ts';
import { Release, releaseMissing } from './release.ts';

const RELEASES = ['bookworm', 'trixie'] as const;
const STEP_MS = 900_000;
const IS_LONG = process.env['PORTCULLIS_LONG'] === '1';
const CONFIG_FILE = '/etc/portcullis/portcullis.yaml';
const UNITS = ['portcullis-interlock', 'portcullis-controller'] as const;
/** Packages of package.json that are for development only. */
const DEVELOPMENT = Object.keys(
  (
    JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      devDependencies: object;
    }
  ).devDependencies,
);

const missing = IS_LONG ? releaseMissing() : 'short form: clean trees of Debian take PORTCULLIS_LONG=1';
skipLoudly('bin/install in clean trees of Debian 12 and 13', missing);

describe.skipIf(missing !== null).each(RELEASES)('%s', { timeout: STEP_MS }, (name) => {
  const box = new Release(name);
  let board: PlayedBoard;
  beforeAll(() => box.make(), STEP_MS);
  afterAll(async () => {
    await box.end();
    await board.child.kill();
    box.remove();
  }, STEP_MS);

  const sh = (line: string): Promise<string> => box.machine.in('sh', '-c', line);
  const status = async (): Promise<Status> =>
    JSON.parse((await box.person('sudo portcullis status --json')).stdout) as Status;
  const until = (what: string, fits: (link: Status['links'][number]) => boolean) =>
    eventually(what, async () => {
      const link = await status().then(
        ({ links }) => links[0],
        () => undefined,
      );
      return link !== undefined && fits(link) && link;
    });
  const bothRun = async (): Promise<void> => {
    for (const unit of UNITS) await box.machine.active(unit, 60_000);
  };
  /** Everything that an installation changes: versions, links, units, rules, configuration, and which processes run. */
  const installed = (): Promise<string> =>
    sh(`ls -l --time-style=full-iso /opt/portcullis | grep -v ' versions$'; ls -A /opt/portcullis/versions
      sha256sum /etc/systemd/system/portcullis* /etc/sysusers.d/* /etc/tmpfiles.d/* /etc/udev/rules.d/* ${CONFIG_FILE}
      systemctl show -p InvocationID ${UNITS.join(' ')}`);
  /** As `git pull` leaves it. */
  const newer = (): void =>
    writeFileSync(join(box.at(box.checkout), 'CHANGELOG.md'), 'newer\n', { flag: 'a' });

  test('by a person with sudo, before systemd runs: everything is fetched and in its place', async () => {
    const said = await box.before('sudo bin/install --with-watchdog');
    expect(said.exitCode, said.all).toBe(0);
    expect(said.all).toContain('the units are enabled and start with the system');
    expect(said.all).toContain('it connects nothing');
    const packages = readdirSync(box.at('opt/portcullis/current/node_modules'));
    expect(packages).toContain('fastify');
    expect(packages.filter((each) => DEVELOPMENT.includes(each))).toEqual([]);
    for (const absent of ['src', 'test', '.toolchain', '.git'])
      expect(readdirSync(box.at('opt/portcullis/current'))).not.toContain(absent);
  });

  test('booted, both units run, the configuration passes `check` for both, and nothing can be connected', async () => {
    await box.boot();
    await bothRun();
    for (const unit of UNITS) expect((await sh(`systemctl is-enabled ${unit}`)).trim()).toBe('enabled');
    for (const user of UNITS) {
      const checked = await sh(`setpriv --reuid=${user} --regid=portcullis --init-groups portcullis check`);
      expect(checked).toContain('valid, 0 errors');
    }
    const found = await status();
    expect(found.links).toEqual([]);
    expect(found.journal.writable).toBe(true);
    const told = await box.person('sudo portcullis status');
    expect(told.all).toContain('journal:');
    expect((await sh('systemctl --failed --no-legend --plain')).trim()).toBe('');
  });

  test('users, groups, modes: nobody but root writes the program, nobody but its reader reads a secret', async () => {
    const groups = (user: string): Promise<string[]> =>
      sh(`id -nG ${user}`).then((all) => all.trim().split(' ').toSorted());
    expect(await groups('portcullis-interlock')).toEqual(
      expect.arrayContaining(['dialout', 'gpio', 'portcullis']),
    );
    expect(await groups('portcullis-controller')).toEqual(
      expect.arrayContaining(['portcullis']) && expect.not.arrayContaining(['dialout', 'gpio', 'sudo']),
    );
    const modes = await sh(`stat -c '%a %U:%G %n' /etc/portcullis ${CONFIG_FILE} /etc/portcullis/interlock \
      /var/lib/portcullis /var/lib/portcullis/controller /run/portcullis /run/portcullis/*.sock /opt/portcullis/current/`);
    expect(modes.trim().split('\n')).toEqual([
      '750 root:portcullis /etc/portcullis',
      `640 root:portcullis ${CONFIG_FILE}`,
      '750 portcullis-interlock:root /etc/portcullis/interlock',
      '750 portcullis-interlock:portcullis /var/lib/portcullis',
      '700 portcullis-controller:portcullis /var/lib/portcullis/controller',
      '750 portcullis-interlock:portcullis /run/portcullis',
      '660 portcullis-interlock:portcullis /run/portcullis/interlock.sock',
      '600 portcullis-interlock:portcullis /run/portcullis/presence.sock',
      '755 root:root /opt/portcullis/current/',
    ]);
    expect(await sh("find /opt/portcullis ! -type l '(' -perm /022 -o ! -user root ')'")).toBe('');
    const strangers = await box.person('portcullis trip --reason "not allowed to"');
    expect(strangers.exitCode).not.toBe(0);
    expect(strangers.all).toContain('run the command with sudo');
    const asks = await box.person('portcullis setup --yes');
    expect(asks.exitCode).toBe(1);
    expect(asks.all).toContain('run it with sudo');
    // The checkout stays the person's.
    expect(await sh(`find '${box.checkout}' ! -user ada`)).toBe('');
  });

  test('again: nothing is fetched, written or restarted', async () => {
    const before = await installed();
    const said = await box.person('sudo bin/install');
    expect(said.exitCode, said.all).toBe(0);
    expect(said.all).toContain('nothing to change');
    expect(await installed()).toBe(before);
  });

  test('while a window is open and its link connected, an upgrade is refused and changes nothing', async () => {
    board = await boardIn(box.network, box.directory);
    await configured();
    const asked = await box.person('sudo portcullis window run nightly --reason "a test"');
    expect(asked.exitCode, asked.all).toBe(0);
    await board.standing('connected');
    await until('the link to be connected', ({ state }) => state === 'connected');
    newer();
    const before = await installed();
    const said = await box.person('sudo bin/install');
    expect(said.exitCode).toBe(1);
    expect(said.all).toContain('link vault is connected');
    expect(said.all).toContain('window nightly is open');
    expect(said.all).toContain('nothing was upgraded; once every link is isolated');
    expect(await installed()).toBe(before);
    const back = await box.person('sudo /opt/portcullis/bin/install --roll-back');
    expect(back.exitCode).toBe(1);
    expect(board.stands()).toBe('connected');
  });

  test('after a trip it is upgraded; the latch, the journal and the configuration stay', async () => {
    const tripped = await box.person('sudo portcullis trip vault --reason "a test of upgrades"');
    expect(tripped.exitCode, tripped.all).toBe(0);
    await board.standing('isolated');
    await until('isolation to be proven', ({ observed }) => observed === 'isolated');
    const latch = (await status()).links[0]?.latch;
    expect(latch).toMatchObject({ reason: 'a test of upgrades' });
    const before = (await status()).journal.size;
    const version = await sh('readlink /opt/portcullis/current');
    // The window has time left, and a reset would give it to its work. An interlock that begins knows nothing of it.
    const early = await box.person('sudo bin/install');
    expect(early.all).toMatch(/not at rest: window nightly is open, for another \d+ s at most/);
    await sh('systemctl restart portcullis-interlock');
    await bothRun();
    await until('isolation to be proven', ({ observed }) => observed === 'isolated');
    const said = await box.person('sudo bin/install');
    expect(said.exitCode, said.all).toBe(0);
    expect(await sh('readlink /opt/portcullis/current')).not.toBe(version);
    expect(await sh('readlink /opt/portcullis/previous')).toBe(version);
    await bothRun();
    const after = await until('the latch', (link) => link.latch !== null);
    expect(after.latch).toEqual(latch);
    expect((await status()).journal.size).toBeGreaterThan(before);
    expect((await box.person('sudo portcullis journal verify')).exitCode).toBe(0);
    expect(board.stands()).toBe('isolated');
  });

  test('while a person attends, an upgrade is refused', async () => {
    const { latch } = await until('isolation', ({ state }) => state === 'tripped');
    const reset = await box.person(
      `sudo portcullis reset vault --reason "a test" --cause '${latch?.cause ?? ''}'`,
    );
    expect(reset.exitCode, reset.all).toBe(0);
    const attended = box.person('sudo portcullis attend vault --for 30m --reason "a restore"');
    await board.standing('connected');
    await until('the link to be connected', ({ state }) => state === 'connected');
    const before = await installed();
    newer();
    const said = await box.person('sudo bin/install');
    expect(said.exitCode).toBe(1);
    expect(said.all).toContain('an attended session of link vault is in progress');
    expect(await installed()).toBe(before);
    expect(board.stands()).toBe('connected');

    // And it is what bin/uninstall isolates first.
    const mark = board.mark();
    const removed = await box.person('sudo /opt/portcullis/bin/uninstall');
    expect(removed.exitCode, removed.all).toBe(0);
    expect(removed.all).toContain('every contact is proven isolated');
    const [first] = board.events.slice(mark).filter((each) => each.event === 'frame' && each.kind !== 'read');
    expect(first, 'the first order on the wire').toMatchObject({ kind: 'isolate' });
    expect(board.stands()).toBe('isolated');
    expect((await attended).exitCode).not.toBe(0);
  });

  test('what bin/uninstall leaves is configuration, state and users, and nothing that runs', async () => {
    const left = await sh(
      "find / -xdev '(' -path /home -o -path /proc ')' -prune -o -iname '*portcullis*' -print | sort",
    );
    expect(left.trim().split('\n')).toEqual(
      expect.arrayContaining(['/etc/portcullis', '/etc/portcullis/portcullis.yaml', '/var/lib/portcullis']),
    );
    const others = left
      .trim()
      .split('\n')
      .filter((path) => !/^\/(etc|var\/lib)\/portcullis(\/|$)|^\/var\/log\//.test(path));
    expect(others).toEqual([]);
    expect(await sh("grep -lsa '[/]opt/portcullis' /proc/[0-9]*/cmdline || true")).toBe('');
    expect(await sh('getent passwd portcullis-interlock')).not.toBe('');
  });

  test('installed again, under a systemd that runs: the latch of the removal, the journal and the link are there', async () => {
    const said = await box.person('sudo bin/install');
    expect(said.exitCode, said.all).toBe(0);
    expect(said.all).toContain('the interlock and the controller run');
    await bothRun();
    const link = await until('isolation to be proven', ({ observed }) => observed === 'isolated');
    expect(link.latch).not.toBeNull();
    expect(link.commissioning.state).toBe('passed');
    expect((await box.person('sudo portcullis journal verify')).exitCode).toBe(0);
  });

  test('a board that does not answer keeps everything; with --unproven and --purge nothing is left', async () => {
    await board.child.kill();
    const kept = await box.person('sudo /opt/portcullis/bin/uninstall --purge');
    expect(kept.exitCode).toBe(1);
    expect(kept.all).toContain('NOT PROVEN ISOLATED, so nothing is removed');
    await bothRun();
    const said = await box.person('sudo /opt/portcullis/bin/uninstall --purge --unproven');
    expect(said.exitCode, said.all).toBe(0);
    const left = await sh(
      "find / -xdev '(' -path /home -o -path /proc -o -path /var/log -o -path /tmp ')' -prune -o -iname '*portcullis*' -print",
    );
    expect(left).toBe('');
    expect(
      await sh('getent passwd portcullis-interlock portcullis-controller; getent group portcullis; true'),
    ).toBe('');
  });

  /** A link that is emulated and commissioned, and a window that waits. */
  async function configured(): Promise<void> {
    const text = CONFIG.replace(/\/run\/credentials\/[^ ]*alarm/, '/etc/portcullis/alarm.token');
    writeFileSync(box.at(CONFIG_FILE), text);
    await sh(`install -o portcullis-interlock -g root -m 0400 /dev/null /etc/portcullis/alarm.token
      echo a-token-that-nobody-guesses-so-soon >/etc/portcullis/alarm.token`);
    const copy = join(box.directory, 'portcullis.yaml');
    writeFileSync(copy, text.replace('/var/lib/portcullis', box.at('var/lib/portcullis')));
    await commissionedAsConfigured(copy);
    await sh(
      'chown -R portcullis-interlock:portcullis /var/lib/portcullis/journal /var/lib/portcullis/commissioning',
    );
    const checked = await box.person('sudo portcullis check');
    expect(checked.exitCode, checked.all).toBe(0);
    await sh(`systemctl restart ${UNITS.join(' ')}`);
    await bothRun();
    await until('isolation to be proven', ({ state }) => state === 'isolated');
  }
});
