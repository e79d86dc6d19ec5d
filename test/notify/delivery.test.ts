/** Queues, their disk, retries and restarts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { notify, type NotifyConfig } from '../../src/config/schema/notify.ts';
import type { Notice } from '../../src/controller/notify/notice.ts';
import {
  noticeOf,
  startNotifications,
  type Notifications,
} from '../../src/controller/notify/notifications.ts';
import {
  EMPTY_QUEUE,
  MOST_WAITING,
  withAdded,
  withDelivered,
  withGivenUp,
  type Queue,
} from '../../src/controller/notify/queue.ts';
import {
  MOST_REFUSALS,
  PACE,
  retryAfterMs,
  waitMs,
  type Attempt,
} from '../../src/controller/notify/retry.ts';
import { openStore } from '../../src/controller/notify/store.ts';
import { nodeDisk, type Disk } from '../../src/journal/disk.ts';
import { DIRECTORY, MemoryDisk, type FailureMode } from '../journal/memory-disk.ts';
import { AT, draft, eventually, link, notice, Receiver } from './parts.ts';

const FAST = { firstMs: 1, mostMs: 20 };
const SLACK: readonly NotifyConfig[] = notify.parse([{ type: 'slack', url_file: '/none' }]);
const ids = ({ waiting }: Queue): string[] => waiting.map(({ id }) => id);

describe('a queue', () => {
  test('a repeat goes for the newer one, unless it is on its way', () => {
    const repeat = (id: string) => notice(id, { repeats: 'unproven vault' });
    let queue = [notice('a'), repeat('b'), repeat('c')].reduce(
      (all, each) => withAdded(all, each, 'a'),
      EMPTY_QUEUE,
    );
    expect(ids(queue)).toEqual(['a', 'c']);
    queue = withAdded(queue, repeat('d'), 'c');
    expect(ids(queue)).toEqual(['a', 'c', 'd']);
    const started = notice('e', { repeats: 'window nightly', window: 'nightly' });
    queue = withAdded(withAdded(EMPTY_QUEUE, started, null), notice('f', { window: 'nightly' }), null);
    expect(ids(queue)).toEqual(['f']);
  });

  test('is bounded: the oldest repeats go first, then the oldest; never what is on its way; and it is counted', () => {
    let queue = EMPTY_QUEUE;
    for (let index = 0; index < MOST_WAITING; index += 1)
      queue = withAdded(
        queue,
        notice(`n${index}`, index === 7 || index === 9 ? { repeats: `key ${index}` } : {}),
        'n0',
      );
    expect(queue.lost).toEqual({ repeats: 0, others: 0 });
    for (const id of ['x', 'y', 'z']) queue = withAdded(queue, notice(id), 'n0');
    expect(queue.waiting).toHaveLength(MOST_WAITING);
    expect(queue.lost).toEqual({ repeats: 2, others: 1 });
    expect(ids(queue).slice(0, 3)).toEqual(['n0', 'n2', 'n3']);
    expect(ids(queue)).not.toContain('n7');
    expect(ids(withDelivered(queue, 'n0'))).not.toContain('n0');
    expect(withGivenUp(queue, 'n0').lost).toEqual({ repeats: 2, others: 2 });
  });

  test('its file stays small, whatever is put into it', () => {
    const long = 'x'.repeat(100_000);
    const big = noticeOf(
      draft({ title: long, text: long, hint: long, data: { steps: Array(10_000).fill(1) } }),
      new Date(),
    );
    expect(JSON.stringify(big).length).toBeLessThan(8_000);
  });
});

test('waits grow, are bounded, scatter, and heed the other side within bounds', () => {
  const halves = Array.from({ length: 12 }, (_, index) => waitMs(index + 1, null, 0));
  expect(halves.slice(0, 4)).toEqual([2_500, 5_000, 10_000, 20_000]);
  expect(Math.max(...halves)).toBe(PACE.mostMs / 2);
  expect(waitMs(1_000, null, 1)).toBe(PACE.mostMs);
  expect(waitMs(1, 60_000, 0)).toBe(60_000);
  expect(waitMs(1, 1e12, 0)).toBe(3_600_000);
  const now = Date.parse(AT);
  expect(retryAfterMs('Sat, 21 Nov 2026 03:04:15 GMT', now)).toBe(10_000);
  expect([retryAfterMs('-1', now), retryAfterMs('soon', now), retryAfterMs(undefined, now)]).toEqual([
    0,
    null,
    null,
  ]);
});

/** Notifications with a sender made of attempts; the last one counts for all further ones. */
class Rig {
  readonly sent: Notice[] = [];
  readonly notes: string[] = [];
  readonly journal: { type: string; data: Readonly<Record<string, unknown>> }[] = [];
  attempts: Attempt[] = [{ kind: 'taken', answer: 'ok' }];
  running: Notifications | null = null;
  onSend: (one: Notice) => void = () => undefined;
  readonly disk: Disk;
  constructor(disk: Disk) {
    this.disk = disk;
  }
  async start(): Promise<Notifications> {
    this.running = await startNotifications({
      destinations: SLACK,
      disk: this.disk,
      directory: DIRECTORY,
      voice: { note: (_level, text) => void this.notes.push(text) },
      journal: (type, data) => void this.journal.push({ type, data }),
      status: () => Promise.reject(new Error('not asked')),
      pace: FAST,
      senders: () => async (one) => {
        this.onSend(one);
        this.sent.push(one);
        const [first] = this.attempts;
        if (this.attempts.length > 1) this.attempts.shift();
        await Promise.resolve();
        return first ?? { kind: 'taken', answer: '' };
      },
    });
    return this.running;
  }
  get titles(): string[] {
    return this.sent.map(({ title }) => title);
  }
}

const later: Attempt = { kind: 'later', why: 'it answered 503', afterMs: null };
const refused: Attempt = { kind: 'refused', why: 'it answered 400' };

describe('deliveries', () => {
  test('are in order, repeated with the same id until taken, journaled', async () => {
    const rig = new Rig(new MemoryDisk());
    rig.attempts = [later, later, { kind: 'taken', answer: 'it answered 200' }];
    const running = await rig.start();
    for (const title of ['one', 'two', 'three']) running.tell(draft({ title }));
    await eventually('all three', () => rig.sent.length >= 5 && running.show()[0]?.waiting === 0);
    expect(rig.titles).toEqual(['one', 'one', 'one', 'two', 'three']);
    expect(new Set(rig.sent.slice(0, 3).map(({ id }) => id)).size).toBe(1);
    expect(rig.journal.map(({ type }) => type)).toEqual([
      'controller.notice-waits',
      ...Array<string>(3).fill('controller.notice-delivered'),
    ]);
    expect(rig.journal[1]?.data).toMatchObject({ destination: 'slack', attempts: 3 });
    expect(running.show()).toMatchObject([
      { name: 'slack', type: 'slack', waiting: 0, failures: 0, problem: null },
    ]);
    await running.stop();
  });

  test('a notice that is refused again and again gives way, and that is said there and in the journal', async () => {
    const rig = new Rig(new MemoryDisk());
    rig.attempts = [...Array.from({ length: MOST_REFUSALS }, () => refused), { kind: 'taken', answer: 'ok' }];
    const running = await rig.start();
    running.tell(draft({ title: 'poison' }));
    running.tell(draft({ title: 'next' }));
    await eventually('the word of the loss', () => rig.titles.at(-1)?.includes('lost'));
    expect(rig.titles.slice(MOST_REFUSALS - 1)).toEqual([
      'poison',
      'next',
      expect.stringContaining('1 notices could not'),
    ]);
    expect(rig.journal.map(({ type }) => type)).toContain('controller.notice-given-up');
    await running.stop();
  });

  test('stopping does not wait for a destination that fails; the rest is sent after the next start', async () => {
    const rig = new Rig(new MemoryDisk());
    rig.attempts = [later];
    const running = await rig.start();
    running.hear({
      event: 'link',
      link: link({ state: 'tripped', latch: { by: 'button', reason: 'pressed', at: AT, cause: 'c-1' } }),
    });
    await eventually('an attempt', () => rig.sent.length > 2);
    await running.stop();
    const next = new Rig(rig.disk);
    const again = await next.start();
    again.hear({
      event: 'link',
      link: link({ state: 'tripped', latch: { by: 'button', reason: 'pressed', at: AT, cause: 'c-1' } }),
    });
    await eventually('its delivery', () => again.show()[0]?.waiting === 0);
    expect(next.sent.map(({ id }) => id)).toEqual([rig.sent[0]?.id]);
    await again.stop();
  });
});

describe('the disk', () => {
  test('whichever call fails, in whichever way: everything is delivered, and nothing that was told is told anew', async () => {
    let failures = 0;
    for (const mode of ['before', 'half', 'after'] as FailureMode[]) {
      for (let at = 1; ; at += 1) {
        const disk = new MemoryDisk();
        disk.failFrom = at;
        disk.failUntil = at;
        disk.mode = mode;
        const rig = new Rig(disk);
        // oxlint-disable no-await-in-loop -- one failing disk after the other
        const running = await rig.start();
        for (const title of ['one', 'two']) {
          running.tell(draft({ title }));
          await eventually(title, () => rig.titles.includes(title) && running.show()[0]?.waiting === 0);
        }
        await running.stop();
        expect(rig.titles, `${mode} ${at}`).toEqual(['one', 'two']);
        const next = new Rig(disk);
        disk.heal();
        const again = await next.start();
        await again.stop();
        // At least once: what was delivered but could not be written off comes again, with the same id.
        const known = new Set(rig.sent.map(({ id }) => id));
        expect(
          next.sent.every(({ id }) => known.has(id)),
          `${mode} ${at}`,
        ).toBe(true);
        // oxlint-enable no-await-in-loop
        failures += disk.failed;
        if (disk.failed > 0)
          expect(
            rig.notes.some((text) => text.includes('notices.json')),
            `${mode} ${at}`,
          ).toBe(true);
        else break;
      }
    }
    expect(failures).toBeGreaterThan(8);
  });

  test('a notice is on disk before it is sent, also on a slow disk, right after the start and behind another', async () => {
    const disk = new MemoryDisk();
    const replace = disk.replace.bind(disk);
    disk.replace = async (path, bytes) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      await replace(path, bytes);
    };
    const rig = new Rig(disk);
    const written: boolean[] = [];
    rig.onSend = (one) => void written.push(disk.text('notices.json').includes(one.id));
    const running = await rig.start();
    for (const title of ['one', 'two']) running.tell(draft({ title }));
    await eventually('the first', () => rig.sent.length >= 1);
    running.tell(draft({ title: 'three' }));
    await eventually('all', () => rig.sent.length === 3);
    await running.stop();
    expect(written).toEqual([true, true, true]);
  });

  test('a notice on disk survives power loss', async () => {
    const disk = new MemoryDisk();
    const rig = new Rig(disk);
    rig.attempts = [later];
    const running = await rig.start();
    running.tell(draft({ title: 'one' }));
    await eventually('the first attempt', () => rig.sent.length > 0);
    disk.losePower(0);
    expect(disk.text('notices.json')).toContain(rig.sent[0]?.id);
    await running.stop();
  });

  test('a disk that hangs silences nothing', async () => {
    const hangs: Disk = { ...nodeDisk, read: async () => null, replace: () => new Promise(() => undefined) };
    const rig = new Rig(hangs);
    const running = await rig.start();
    running.tell(draft({ title: 'one' }));
    await eventually('the delivery', () => rig.sent.length === 1);
    await running.stop();
  });

  test.each(['', '{', '{"format":2}', '{"format":1,"told":{},"queues":{"slack":{}}}'])(
    'a file that cannot be understood is kept aside: %s',
    async (text) => {
      const disk = new MemoryDisk();
      disk.put('notices.json', text);
      const said: string[] = [];
      const store = await openStore(disk, DIRECTORY, ['slack'], (each) => void said.push(each));
      expect(said).toEqual([expect.stringContaining('kept as')]);
      expect(disk.text('notices.json.unreadable')).toBe(text);
      expect(store.queueOf('slack')).toEqual(EMPTY_QUEUE);
    },
  );
});

describe('kill -9 in mid-delivery', () => {
  let directory: string;
  let receiver: Receiver;
  let child: ChildProcess | null = null;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'portcullis-notices-'));
    receiver = new Receiver();
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await receiver.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('it is delivered again, with the same webhook-id', async () => {
    const url = `http://127.0.0.1:${await receiver.start()}/`;
    writeFileSync(join(directory, 'secret'), `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`);
    const destinations = [{ type: 'webhook', url, secret_file: join(directory, 'secret') }];
    writeFileSync(join(directory, 'notify.json'), JSON.stringify(destinations));
    receiver.reply = () => undefined; // it has come, and is not answered
    const start = (what: string): ChildProcess =>
      spawn(process.execPath, [join(import.meta.dirname, 'notifier-process.ts'), directory, what], {
        stdio: 'inherit',
      });
    const dying = start('tell');
    child = dying;
    await eventually('the delivery to be on its way', () => receiver.got.length === 1);
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
    receiver.reply = (answer) => answer.end('ok');
    child = start('nothing');
    await eventually('the second delivery', () => receiver.got.length === 2);
    const [first, second] = receiver.got.map(({ headers }) => headers['webhook-id']);
    expect(first).toMatch(/^msg_/);
    expect(second).toBe(first);
    const path = join(directory, 'notices.json');
    await eventually(
      'it to be written off',
      () => existsSync(path) && !readFileSync(path, 'utf8').includes(String(first)),
    );
  });
});
