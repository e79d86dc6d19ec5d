/** A source that is known by its client certificate, from the handshake to the cut. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, machineClock } from '../../src/interlock/clock.ts';
import { RefusalTally } from '../../src/interlock/trips/refusal-tally.ts';
import { createTripListener } from '../../src/interlock/trips/trip-listener.ts';
import type { TripSource } from '../../src/interlock/trips/trip-sources.ts';
import { startListener, type RunningListener } from '../../src/listener/start.ts';
import { Certificates, type Pair } from '../listener/certificates.ts';
import { type Box, box } from './review-box.ts';

let made: Certificates;
let authority: Pair;
let rig: Box<Clock>;
let running: RunningListener;

beforeEach(async () => {
  made = new Certificates();
  authority = made.selfSigned('authority');
  rig = await box(machineClock);
  rig.interlock.start();
  const sources: Readonly<Record<string, TripSource>> = {
    prometheus: {
      verify: { type: 'mtls', subject: { CN: 'prometheus', O: 'ops' } },
      secrets: [],
      trips: 'all',
      on_unrecognised: 'trip',
    },
  };
  const tally = new RefusalTally(machineClock, (entry) => rig.interlock.note(entry));
  const listener = await createTripListener(rig.interlock, sources, tally);
  const own = made.selfSigned('box');
  const tls = {
    certificate_file: own.certificate,
    key_file: own.key,
    client_authority_file: authority.certificate,
  };
  const places = [{ host: '127.0.0.1', port: 0, secure: true }];
  running = await startListener(listener, { places, tls, stateDirectory: made.directory }, () => undefined);
});

afterEach(async () => {
  await running.close();
  await rig.interlock.stop();
  made.end();
});

const trip = (client: Pair | null): Promise<number> =>
  new Promise((resolve, reject) => {
    const shown =
      client === null ? {} : { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
    const to = { host: '127.0.0.1', port: running.places[0]?.port, path: '/trip/prometheus', method: 'POST' };
    const asked = request({ ...to, ...shown, agent: false, rejectUnauthorized: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.once('error', reject).end('{}');
  });
const at = (): string => rig.interlock.links.get('vault')?.shell.state.at ?? '';

test('cuts with its certificate, and with no other', async () => {
  const strangers = [
    null,
    made.signed('another', '/O=ops/CN=grafana', authority),
    made.signed('half', '/CN=prometheus', authority),
    made.signed('forged', '/O=ops/CN=prometheus', made.selfSigned('other-authority')),
  ];
  for (const stranger of strangers) {
    // oxlint-disable-next-line no-await-in-loop -- one after another, so that none hides another
    expect(await trip(stranger)).toBe(401);
    expect(at()).not.toBe('tripped');
  }
  expect(await trip(made.signed('right', '/O=ops/CN=prometheus', authority))).toBe(200);
  expect(at()).toBe('tripped');
  expect(rig.journal.entries.find(({ type }) => type === 'trip.received')?.data).toMatchObject({ tier: 2 });
});
