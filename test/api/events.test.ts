/** The event stream over real sockets: resuming, many readers, slow ones, and what ends it. */
import { get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { IDLE_MS } from '../../src/api/people/logins.ts';
import { ApiBench } from './bench.ts';

interface Heard {
  readonly name: string;
  readonly id: string | null;
  readonly data: {
    readonly entries?: { readonly seq: number }[];
    readonly gap?: boolean;
    readonly why?: string;
  };
}

/** One reader that reads. */
class Reader {
  readonly heard: Heard[] = [];
  ended = false;
  #response: IncomingMessage | null = null;
  #text = '';

  constructor(
    place: { host: string; port: number },
    headers: Record<string, string>,
    path = '/api/v1/events',
  ) {
    get({ ...place, path, headers: { ...headers, host: '127.0.0.1' } }, (response) => {
      this.#response = response;
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#feed(text));
      response.on('close', () => {
        this.ended = true;
      });
      response.on('error', () => undefined);
    }).on('error', () => {
      this.ended = true;
    });
  }

  of(name: string): Heard[] {
    return this.heard.filter((each) => each.name === name);
  }

  seqs(): number[] {
    return this.of('journal').flatMap(({ data }) => (data.entries ?? []).map(({ seq }) => seq));
  }

  close(): void {
    this.#response?.destroy();
  }

  #feed(text: string): void {
    this.#text += text;
    for (let at = this.#text.indexOf('\n\n'); at !== -1; at = this.#text.indexOf('\n\n')) {
      const fields = new Map(
        this.#text
          .slice(0, at)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      this.#text = this.#text.slice(at + 2);
      const name = fields.get('event');
      if (name !== undefined)
        this.heard.push({
          name,
          id: fields.get('id') ?? null,
          data: JSON.parse(fields.get('data') ?? '') as Heard['data'],
        });
    }
  }
}

// oxlint-disable-next-line vitest/require-awaited-expect-poll -- whoever calls awaits
const poll = <T>(look: () => T) => expect.poll(look, { timeout: 20_000, interval: 20 });

describe('events', { timeout: 60_000 }, () => {
  let bench: ApiBench;
  let place: { host: string; port: number };
  let headers: Record<string, string>;
  const readers: Reader[] = [];
  const sockets: Socket[] = [];
  const read = (more: Record<string, string> = {}, path?: string): Reader => {
    const reader = new Reader(place, { ...headers, ...more }, path);
    readers.push(reader);
    return reader;
  };
  const write = async (count: number, text = ''): Promise<void> => {
    for (let i = 0; i < count; i += 1) bench.interlock.write('link.isolated', { link: 'vault', text });
    bench.hear();
    await poll(() => bench.face.chronicle.isComplete).toBe(true);
  };
  beforeEach(async () => {
    bench = new ApiBench();
    await bench.start();
    place = await bench.listen();
    headers = await bench.tokenOf(['read']);
    await write(10);
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    await bench.stop();
  });

  test('the state at once, a sign of life each second, entries as they are written', async () => {
    const reader = read();
    await poll(() => reader.of('state').length).toBeGreaterThan(0);
    await poll(() => reader.of('alive').length).toBeGreaterThan(1);
    await write(3);
    await poll(() => reader.seqs()).toEqual([11, 12, 13]);
    expect(reader.of('journal').at(-1)?.id).toBe('13');
  });

  test('a reader that comes back goes on behind the last entry it saw', async () => {
    const first = read();
    await poll(() => first.of('state').length).toBeGreaterThan(0);
    await write(2);
    await poll(() => first.seqs()).toEqual([11, 12]);
    first.close();
    await write(5);
    const again = read({ 'last-event-id': '12' });
    await poll(() => again.seqs()).toEqual([13, 14, 15, 16, 17]);
    expect(again.of('journal')[0]?.data.gap).toBe(false);
    const byQuery = read({}, '/api/v1/events?after=15');
    await poll(() => byQuery.seqs()).toEqual([16, 17]);
  });

  test('one login takes not all streams', async () => {
    const others = await bench.tokenOf(['read']);
    const { streams } = bench.desk;
    const many = Array.from({ length: 121 }, () => read());
    await poll(() => streams.readers).toBe(120);
    await poll(() => many.filter((each) => each.of('state').length > 0).length).toBe(120);
    const other = read(others);
    await poll(() => other.of('state').length).toBeGreaterThan(0);
    for (const each of many) each.close();
  });

  test('who was away for long is told that entries are missing', async () => {
    await write(1_500);
    const reader = read({ 'last-event-id': '5' });
    await poll(() => reader.seqs().length).toBe(500);
    expect(reader.seqs()[0]).toBe(1_011);
    expect(reader.of('journal')[0]?.data.gap).toBe(true);
    // The journal is another one than this reader has seen: there were more entries.
    const ahead = read({ 'last-event-id': '99999' });
    await poll(() => ahead.of('journal')[0]?.data.gap).toBe(true);
  });

  test('states are put together: many changes, few states', async () => {
    const reader = read();
    await poll(() => reader.of('state').length).toBe(1);
    const began = performance.now();
    for (let i = 0; i < 200; i += 1) {
      bench.tell(null);
      if (i % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await poll(() => reader.of('state').length).toBeGreaterThan(1);
    const most = 2 + Math.ceil((performance.now() - began) / 250);
    expect(reader.of('state').length).toBeLessThanOrEqual(most);
  });

  test('fifty pages at once all hear everything, and the state is made once for all', async () => {
    const all = Array.from({ length: 50 }, () => read());
    await poll(() => all.every((reader) => reader.of('state').length > 0)).toBe(true);
    bench.interlock.asked.splice(0);
    await write(20);
    const expected = Array.from({ length: 20 }, (_, i) => 11 + i);
    await poll(() => all.every((reader) => reader.seqs().length === 20)).toBe(true);
    for (const reader of all) expect(reader.seqs()).toEqual(expected);
    expect(bench.interlock.asked.filter(({ what }) => what === 'status').length).toBeLessThan(20);
    for (const reader of all) reader.close();
    await poll(() => bench.desk.streams.readers).toBe(0);
  });

  test('a reader that does not read is dropped; the others, and memory, do not notice', async () => {
    const slow = connect(place);
    sockets.push(slow);
    slow.on('error', () => undefined);
    slow.pause();
    slow.write(
      `GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${headers['authorization'] ?? ''}\r\n\r\n`,
    );
    await poll(() => bench.desk.streams.readers).toBe(1);
    const good = read();
    await poll(() => good.of('state').length).toBeGreaterThan(0);
    const text = 'x'.repeat(50_000);
    let written = 10;
    for (let round = 0; round < 40 && bench.desk.streams.dropped === 0; round += 1) {
      await write(10, text);
      written += 10;
      const last = written;
      await poll(() => good.seqs().at(-1)).toBe(last);
    }
    expect(bench.desk.streams.dropped).toBe(1);
    await poll(() => bench.desk.streams.readers).toBe(1);
    expect(good.seqs()).toEqual(Array.from({ length: written - 10 }, (_, i) => 11 + i));
  });

  test('the stream ends with its login, and with its token', async () => {
    const browser = await bench.personOf('viewer');
    const byToken = read();
    const byLogin = new Reader(place, browser);
    readers.push(byLogin);
    await poll(() => byLogin.of('state').length * byToken.of('state').length).toBeGreaterThan(0);
    bench.aheadMs = IDLE_MS + 1_000;
    await poll(() => byLogin.of('over').map(({ data }) => data.why)).toEqual(['login-ended']);
    await poll(() => byLogin.ended).toBe(true);
    expect(byToken.ended).toBe(false);
    for (const { id } of await bench.people.tokens()) await bench.people.revokeToken(id);
    await poll(() => byToken.ended).toBe(true);
  });

  test('a controller that stops says so', async () => {
    const reader = read();
    await poll(() => reader.of('state').length).toBeGreaterThan(0);
    bench.desk.streams.stop();
    await poll(() => reader.of('over').map(({ data }) => data.why)).toEqual(['stopping']);
  });
});
