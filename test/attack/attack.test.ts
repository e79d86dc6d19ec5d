/**
 * A good request while strangers do their worst, against the real interlock and a board on a real wire: it cuts while the
 * attack goes on. What the attack costs is bounded: memory, descriptors, bytes of journal. Times are printed, never judged.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request as requestSecure } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_BODIES_TOGETHER_BYTES } from '../../src/listener/bodies.ts';
import { MAX_CONNECTIONS } from '../../src/listener/crowd.ts';
import { Child } from '../faults/child.ts';
import { resetLink } from '../faults/reset.ts';
import { eventually, Scenario, SOURCE } from '../faults/rig.ts';
import type { Done } from './attacks.ts';

const ATTACKER = fileURLToPath(new URL('attacker.ts', import.meta.url));
const MIB = 1_024 * 1_024;
const KIB = 1_024;
/** What one read of a connection may bring, bytes; twice, for the parser has the last while the next is there. */
const ONE_READ_BYTES = 2 * 64 * KIB;
/** What an attack may add to the resident memory: bodies, reads, and room for a garbage collector that is behind. */
const MOST_GROWTH_BYTES = MAX_BODIES_TOGETHER_BYTES + MAX_CONNECTIONS * ONE_READ_BYTES + 100 * MIB;
/** What an attack with a trip, a reset and a lease may add to the journal. One refusal is some 500 bytes. */
const MOST_JOURNAL_BYTES = 48 * KIB;
/** Descriptors beyond the connections: those that are being accepted, files that are being written, the board's wire. */
const OTHER_DESCRIPTORS = 40;
const SECURE_HOST = '127.0.0.2';

let scenario: Scenario;
let interlock: Child;
let isLatched = false;
let isOpen = false;
let securePort: number;

beforeAll(async () => {
  scenario = await Scenario.begin();
  const plain = `127.0.0.1:${scenario.tripPort}`;
  securePort = scenario.tripPort;
  scenario.configure({
    interlock: `{ listen: ["${plain}", "${SECURE_HOST}:${securePort}"], tls: device, plain_http: ["127.0.0.1 carries secrets in the clear"] }`,
  });
  interlock = await scenario.interlock();
}, 120_000);
afterAll(() => scenario.end());

const resident = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${interlock.pid}/status`, 'utf8'))?.[1]) * KIB;
const descriptors = (): number => readdirSync(`/proc/${interlock.pid}/fd`).length;
const journalBytes = (): number => {
  const directory = join(scenario.state, 'journal');
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
};

/** One attack in a process of its own. */
class Attacker {
  readonly #child: Child;
  last: Done = { sent: 0, begun: 0, standing: 0, answered: 0 };

  constructor(name: string, host: string, port: number) {
    this.#child = new Child(name, process.execPath, [ATTACKER, name, host, String(port)], process.env);
    this.#child.onLine((line) => {
      this.last = JSON.parse(line) as Done;
    });
  }

  until(what: string, fits: (done: Done) => boolean): Promise<Done> {
    return eventually(`the attack: ${what}`, () => {
      if (this.#child.ended !== null) throw new Error(this.#child.words());
      return fits(this.last) ? this.last : null;
    });
  }

  end(): Promise<void> {
    return this.#child.kill();
  }
}

/** Connected again, whatever was before; the window stays open from the first attack to the last. */
async function connectedAnew(): Promise<void> {
  if (isLatched) {
    const { code, stderr } = await resetLink(scenario, 'the attack is over');
    expect(code, stderr).toBe(0);
  }
  await scenario.until('a proven isolation', (link) => link.state === 'isolated' && link.proof === 'witness');
  const mark = scenario.board.mark();
  if (!isOpen) await scenario.openWindow();
  isOpen = true;
  await (
    await scenario.askLease()
  ).connected;
  isLatched = false;
  await scenario.board.move('connected', mark);
}

const secureTrip = (): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${scenario.token}` };
    const options = { host: SECURE_HOST, port: securePort, path: `/trip/${SOURCE}`, method: 'POST', headers };
    const asked = requestSecure({ ...options, agent: false, rejectUnauthorized: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.once('error', reject);
    asked.end('{"reason":"under attack"}');
  });

interface Case {
  readonly attack: string;
  /** The attack is under way. */
  readonly when: (done: Done) => boolean;
  readonly secure?: boolean;
}

const CASES: readonly Case[] = [
  { attack: 'flood', when: ({ sent, answered }) => sent >= 4_000 && answered > 100 },
  { attack: 'pipelined', when: ({ sent }) => sent >= 10_000 },
  { attack: 'slow-loris', when: ({ begun, sent }) => begun >= 1_300 && sent >= 200 },
  { attack: 'silent', when: ({ begun }) => begun >= 1_300 },
  { attack: 'bodies', when: ({ answered }) => answered >= 200 },
  { attack: 'headers', when: ({ sent, answered }) => sent >= 200 && answered >= 50 },
  { attack: 'tricks', when: ({ sent, answered }) => sent >= 200 && answered >= 50 },
  { attack: 'half-closed', when: ({ sent }) => sent >= 300 },
  { attack: 'handshakes', when: ({ begun }) => begun >= 1_300, secure: true },
];

describe(
  'a good request cuts while the attack goes on, and the attack costs little',
  { timeout: 120_000 },
  () => {
    test.each(CASES)('$attack', async ({ attack, when, secure }) => {
      await connectedAnew();
      const before = { resident: resident(), descriptors: descriptors(), journal: journalBytes() };
      const attacker = new Attacker(attack, secure === true ? SECURE_HOST : '127.0.0.1', scenario.tripPort);
      let highest = 0;
      let most = 0;
      const watching = setInterval(() => {
        highest = Math.max(highest, resident());
        most = Math.max(most, descriptors());
      }, 50);
      try {
        const underWay = await attacker.until('under way', when);
        expect((await scenario.link())?.state).toBe('connected');
        const mark = scenario.board.mark();
        const asked = performance.now();
        const answer = await (secure === true ? secureTrip() : scenario.trip());
        const tookMs = performance.now() - asked;
        isLatched = true;
        expect(answer).toMatchObject({ status: 200 });
        expect(JSON.parse(answer.text)).toMatchObject({ status: 'tripped', cut: true });
        expect((await scenario.board.move('isolated', mark)).cause).toBe('frame');
        // It was not heard because the attack was over.
        const { begun, sent } = attacker.last;
        await attacker.until('going on after the cut', (done) => done.begun > begun || done.sent > sent);
        console.log(
          `${attack}: answered in ${tookMs.toFixed(1)} ms after ${underWay.sent} pieces on ${underWay.begun} connections;`,
          `memory +${((highest - before.resident) / MIB).toFixed(0)} MiB, ${most - before.descriptors} more descriptors,`,
          `journal +${journalBytes() - before.journal} bytes; written ${JSON.stringify(JSON.parse(answer.text))}`,
        );
      } finally {
        clearInterval(watching);
        await attacker.end();
      }
      expect(highest - before.resident).toBeLessThan(MOST_GROWTH_BYTES);
      expect(most - before.descriptors).toBeLessThan(MAX_CONNECTIONS + OTHER_DESCRIPTORS);
      await eventually(
        'descriptors to be given back',
        () => descriptors() <= before.descriptors + OTHER_DESCRIPTORS / 4,
      );
      expect(journalBytes() - before.journal).toBeLessThan(MOST_JOURNAL_BYTES);
      expect(interlock.ended).toBeNull();
    });

    test('the journal is whole, and says that there were floods', async () => {
      const summed = (type: string): number =>
        scenario.journal(type).reduce((sum, { data }) => sum + Number(data['more']), 0);
      await eventually('a sum of what was refused', () => summed('trip.refused-more') > 500);
      await eventually('a sum of who gave way', () => summed('listener.crowded-more') > 100);
      await scenario.journalVerifies();
    });
  },
);
