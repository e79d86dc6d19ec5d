/** TLS on a real wire: which certificate is shown, when a changed one is taken, and what is known of the client. */
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecure, type ConnectionOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CertificateWatch, marksOf, readFiles } from '../../src/listener/certificate-watch.ts';
import type { ServerCertificate } from '../../src/listener/certificate.ts';
import { type ShownCertificate, shownCertificate } from '../../src/listener/client-certificate.ts';
import { deviceCertificate } from '../../src/listener/device-certificate.ts';
import { type Disturbance, Listener } from '../../src/listener/listener.ts';
import { startListener, type CertificateNote, type RunningListener } from '../../src/listener/start.ts';
import { Certificates, openssl, type Pair } from './certificates.ts';

const WITHIN_MS = 20_000;
let made: Certificates;
let first: Pair;
let second: Pair;
let authority: Pair;

beforeAll(() => {
  made = new Certificates();
  first = made.selfSigned('first');
  second = made.selfSigned('second');
  authority = made.selfSigned('authority');
}, WITHIN_MS);
afterAll(() => made.end());

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ending.splice(0).map((end) => end()));
});

const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + WITHIN_MS; !what();) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** The name on the certificate that is shown; rejects when no handshake comes of it. */
const shownAt = (port: number, options: ConnectionOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectSecure({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      const { subject } = socket.getPeerCertificate();
      resolve(String(subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });

interface Begun {
  readonly running: RunningListener;
  readonly listener: Listener;
  readonly port: number;
  readonly disturbances: Disturbance[];
  readonly notes: CertificateNote[];
}

async function begin(
  pair: Pair,
  clients: { authority?: string; asks?: boolean; seen?: (certificate: ShownCertificate | null) => void } = {},
): Promise<Begun> {
  const disturbances: Disturbance[] = [];
  const notes: CertificateNote[] = [];
  const listener = new Listener({
    handle: (incoming, response) => {
      clients.seen?.(shownCertificate(incoming));
      response.end('heard');
    },
    disturbed: (what) => disturbances.push(what),
    asksForCertificate: clients.asks === true,
  });
  const tls = {
    certificate_file: pair.certificate,
    key_file: pair.key,
    ...(clients.authority === undefined ? {} : { client_authority_file: clients.authority }),
  };
  const places = [{ host: '127.0.0.1', port: 0, secure: true }];
  const running = await startListener(listener, { places, tls, stateDirectory: made.directory }, (note) =>
    notes.push(note),
  );
  ending.push(() => running.close());
  return { running, listener, port: running.places[0]?.port ?? 0, disturbances, notes };
}

/** One request over TLS; what was answered. */
const ask = (port: number, client?: Pair): Promise<string> =>
  new Promise((resolve, reject) => {
    const own =
      client === undefined ? {} : { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
    const asked = request(
      { host: '127.0.0.1', port, rejectUnauthorized: false, agent: false, ...own },
      (answer) => {
        answer.setEncoding('utf8').on('data', resolve);
      },
    );
    asked.once('error', reject).end();
  });

describe('the certificate', () => {
  test('is shown, and its fingerprint is what openssl says', async () => {
    const { port, running, notes } = await begin(first);
    expect(running.urls).toEqual([`https://127.0.0.1:${port}`]);
    expect(await shownAt(port)).toBe('first');
    const said = openssl('x509', '-in', first.certificate, '-noout', '-fingerprint', '-sha256');
    expect(said.toLowerCase()).toContain(`=${running.fingerprint?.toLowerCase()}`);
    expect(notes).toMatchObject([{ kind: 'shown', fingerprint: running.fingerprint }]);
  });

  test('TLS 1.1 is refused, 1.2 and 1.3 are not', async () => {
    const { port } = await begin(first);
    const of = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
      shownAt(port, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' });
    await expect(of('TLSv1.1')).rejects.toThrow(/version|alert|EPROTO/i);
    expect([await of('TLSv1.2'), await of('TLSv1.3')]).toEqual(['first', 'first']);
  });

  test('a pair that does not belong together is not begun with', async () => {
    await expect(begin({ certificate: first.certificate, key: second.key })).rejects.toThrow(
      /second\.key: it is not the key of the certificate/,
    );
  });

  test('a place that is taken ends the start, and nothing is left listening', async () => {
    const { port } = await begin(first);
    const other = new Listener({ handle: () => undefined, disturbed: () => undefined });
    const free = { host: '127.0.0.1', port: 0, secure: false };
    await expect(other.listen([free, { host: '127.0.0.1', port, secure: false }])).rejects.toThrow(
      /cannot listen on 127\.0\.0\.1:\d+/,
    );
  });
});

describe('a certificate that changes', () => {
  /** A pair of its own, a watch over it that only looks when told, and a listener that shows it. */
  async function watched() {
    const live = { certificate: join(made.directory, 'live.crt'), key: join(made.directory, 'live.key') };
    copyFileSync(first.certificate, live.certificate);
    copyFileSync(first.key, live.key);
    const files = { ...live, clientAuthority: null };
    const seen = await marksOf(files);
    const read = await readFiles(files);
    if (!read.ok) throw new Error(read.why);
    const taken: ServerCertificate[] = [];
    const refused: string[] = [];
    const listener = new Listener({ handle: (_, answer) => answer.end(), disturbed: () => undefined });
    const [place] = await listener.listen([{ host: '127.0.0.1', port: 0, secure: true }], read.certificate);
    ending.push(() => listener.close());
    const watch = new CertificateWatch(
      files,
      { certificate: read.certificate, seen },
      (fresh) => {
        taken.push(fresh);
        listener.renew(fresh);
      },
      (_file, why) => refused.push(why),
    );
    return { live, watch, taken, refused, port: place?.port ?? 0 };
  }

  test('is taken without a restart', async () => {
    const { live, watch, taken, port } = await watched();
    await watch.look();
    expect(taken).toHaveLength(0);
    copyFileSync(second.key, live.key);
    copyFileSync(second.certificate, live.certificate);
    await watch.look();
    expect(taken).toHaveLength(1);
    expect(await shownAt(port)).toBe('second');
  });

  test.each<[string, (live: Pair) => void]>([
    ['a key without its certificate yet', (live) => copyFileSync(second.key, live.key)],
    ['a certificate that is half written', (live) => truncateSync(live.certificate, 100)],
    ['an empty key', (live) => truncateSync(live.key, 0)],
    ['rubbish', (live) => writeFileSync(live.certificate, Buffer.alloc(5_000, 0xff))],
    ['too much', (live) => writeFileSync(live.key, Buffer.alloc(100_000, 'a'))],
  ])('%s changes nothing, is said once, and heals', async (_what, spoil) => {
    const { live, watch, taken, refused, port } = await watched();
    spoil(live);
    await watch.look();
    expect(refused).toHaveLength(0);
    await watch.look();
    await watch.look();
    await watch.look();
    expect(refused).toHaveLength(1);
    expect(await shownAt(port)).toBe('first');
    copyFileSync(second.key, live.key);
    copyFileSync(second.certificate, live.certificate);
    await watch.look();
    expect(taken).toHaveLength(1);
    expect(await shownAt(port)).toBe('second');
  });

  test('is taken by a listener that runs, also from the clock', async () => {
    const live = { certificate: join(made.directory, 'run.crt'), key: join(made.directory, 'run.key') };
    copyFileSync(first.certificate, live.certificate);
    copyFileSync(first.key, live.key);
    const { port, notes } = await begin(live);
    copyFileSync(second.key, live.key);
    copyFileSync(second.certificate, live.certificate);
    await until(() => notes.some(({ kind }) => kind === 'renewed'));
    expect(await shownAt(port)).toBe('second');
  });
});

describe('the client', () => {
  const clientSeen = async (
    client: Pair | undefined,
    trusts: Pair | null,
  ): Promise<ShownCertificate | null> => {
    let shown: ShownCertificate | null = null;
    const clients = {
      asks: true,
      seen: (certificate: ShownCertificate | null): void => {
        shown = certificate;
      },
      ...(trusts === null ? {} : { authority: trusts.certificate }),
    };
    const { port } = await begin(first, clients);
    expect(await ask(port, client)).toBe('heard');
    return shown;
  };

  test('is known by subject and fingerprint, and trusted when the authority is', async () => {
    const client = made.signed('client', '/O=ops/CN=prometheus', authority);
    const shown = await clientSeen(client, authority);
    expect(shown).toMatchObject({ subject: { CN: 'prometheus', O: 'ops' }, trusted: true });
    const said = openssl('x509', '-in', client.certificate, '-noout', '-fingerprint', '-sha256');
    expect(said.replaceAll(':', '').trim().toLowerCase()).toBe(`sha256 fingerprint=${shown?.fingerprint}`);
  });

  test('of another authority is known, and not trusted', async () => {
    const client = made.signed('stranger', '/CN=prometheus', made.selfSigned('other-authority'));
    expect(await clientSeen(client, authority)).toMatchObject({ trusted: false });
    expect(await clientSeen(client, null)).toMatchObject({ trusted: false });
  });

  test('without a certificate is heard, and nobody', async () => {
    expect(await clientSeen(undefined, authority)).toBeNull();
  });
});

describe('what is no handshake', () => {
  test('plain HTTP is noted and cut off', async () => {
    const { port, disturbances } = await begin(first);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await until(() => socket.destroyed || socket.readableEnded);
    await until(() => disturbances.length > 0);
    expect(disturbances).toMatchObject([{ kind: 'handshake', code: 'ERR_SSL_HTTP_REQUEST' }]);
  });

  test('many that hang give way to a good one', async () => {
    const { port, disturbances } = await begin(first);
    const hanging = Array.from({ length: 100 }, () =>
      connect(port, '127.0.0.1').on('error', () => undefined),
    );
    await until(() => disturbances.some(({ kind }) => kind === 'crowded'));
    expect(await ask(port)).toBe('heard');
    for (const socket of hanging) socket.destroy();
  });
});

describe('the certificate of the box itself', () => {
  test('is made once, with its names, a key that only we read, and nothing left over', async () => {
    const state = join(made.directory, 'state');
    const [one, again] = await Promise.all([
      deviceCertificate(state, ['10.9.8.7', '0.0.0.0', 'vault.example']),
      deviceCertificate(state, []),
    ]);
    expect(again).toEqual(one);
    expect(readdirSync(state)).toEqual(['tls']);
    expect(readdirSync(join(state, 'tls')).toSorted()).toEqual(['device.crt', 'device.key']);
    expect(statSync(one.key).mode & 0o777).toBe(0o600);
    const before = readFileSync(one.certificate);
    expect(readFileSync((await deviceCertificate(state, ['10.0.0.1'])).certificate).equals(before)).toBe(
      true,
    );
    const text = openssl('x509', '-in', one.certificate, '-noout', '-text');
    expect(text).toContain('NIST CURVE: P-256');
    for (const said of ['DNS:localhost', 'IP Address:127.0.0.1', 'CA:FALSE']) expect(text).toContain(said);
    expect(text).toContain(hostname());
    expect(text).not.toContain('IP Address:0.0.0.0');
    // A box that boots in 1970 makes one that is valid today; so its end is far away.
    expect(Number(/Not After : .* (\d{4}) GMT/.exec(text)?.[1])).toBeGreaterThan(2_100);
    const { port } = await begin(one);
    expect(
      await shownAt(port, {
        rejectUnauthorized: true,
        ca: readFileSync(one.certificate),
        servername: 'localhost',
      }),
    ).not.toBe('');
  });

  test('without openssl says what to install, and leaves nothing behind', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = made.directory;
    try {
      const state = join(made.directory, 'bare');
      await expect(deviceCertificate(state, [])).rejects.toMatchObject({
        hint: expect.stringContaining('openssl'),
      });
      expect(readdirSync(state)).toEqual([]);
    } finally {
      process.env['PATH'] = path;
    }
  });
});
