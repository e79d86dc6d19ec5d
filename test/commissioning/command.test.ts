/** The command as a person meets it: prompts, answers, summary and exit codes, against an interlock that a test plays. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommissioningLine } from '../../src/protocol/commissioning.ts';
import { BUILD_HEADER, PRESENCE_SOCKET } from '../../src/protocol/messages.ts';
import { eventually } from '../faults/child.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const spread = { min: 1, p50: 2.25, max: 3.5, count: 10 };
const times = { written: spread, acknowledged: spread, read_back: spread, witness: null };
const BEGUN: CommissioningLine = {
  event: 'begun',
  commissioning: 'abc',
  link: 'vault',
  simulated: false,
  ends_in_ms: 1_800_000,
  renew_every_ms: 50,
  steps: [{ step: 'without-power', about: 'the board', what: 'it loses its power' }],
};
const QUESTION: CommissioningLine = {
  event: 'question',
  question: 7,
  kind: 'pull-supply',
  about: 'the board',
  text: 'Pull the supply of the board NOW.',
  answers: ['done', 'skip'],
  within_ms: 120_000,
};
const OVER: Extract<CommissioningLine, { event: 'over' }> = {
  event: 'over',
  verdict: 'passed',
  simulated: false,
  reasons: [],
  contacts: [
    {
      name: 'relay',
      kind: 'fail-safe',
      isolates_alone: 'proven',
      connect: times,
      isolate: times,
      read_back: { compared: 20, contradicted: 0 },
      without_power: 'isolated',
      hardware_lease: {
        lease_ms: 3_000,
        ran_out_after_ms: 3_041,
        renewal: 'proven',
        isolate_cancels: 'proven',
      },
    },
  ],
  connected_ms: 8_100,
  record: 'digest',
};

let directory: string;
let server: Server;
let stream: ServerResponse | null;
let requests: { readonly url: string; readonly body: unknown }[];
/** What the next `POST /v1/commissionings` is refused with. */
let refusal: object | null;

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request as AsyncIterable<Buffer>) text += piece.toString();
  return text === '' ? null : JSON.parse(text);
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-commission-'));
  stream = null;
  requests = [];
  refusal = null;
  mkdirSync(join(directory, 'run'));
  writeFileSync(
    join(directory, 'p.yaml'),
    `state_directory: ${directory}
runtime_directory: ${directory}/run
buses: { board: { transport: modbus-tcp, host: 127.0.0.1, port: 1 } }
links:
  vault:
    contacts: [{ name: relay, profile: generic/modbus-coils, bus: board, unit: 1, channel: 1 }]
`,
  );
  server = createServer((request, answer) => {
    void bodyOf(request).then((body) => {
      requests.push({ url: request.url ?? '', body });
      answer.setHeader(BUILD_HEADER, request.headers[BUILD_HEADER] ?? '');
      if (request.url !== '/v1/commissionings') {
        answer.end(request.url?.endsWith('/renewal') === true ? '{"ends_in_ms":1000}' : '{}');
      } else if (refusal !== null) {
        answer.writeHead(409).end(JSON.stringify({ refusals: [refusal] }));
      } else {
        answer.writeHead(200);
        stream = answer;
        tell(BEGUN);
      }
    });
  });
  server.listen(join(directory, 'run', PRESENCE_SOCKET));
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const tell = (line: CommissioningLine): void => void stream?.write(`${JSON.stringify(line)}\n`);
const asked = (end: string): readonly { readonly url: string; readonly body: unknown }[] =>
  requests.filter(({ url }) => url.endsWith(end));

interface Ran {
  stdout: string;
  stderr: string;
  readonly exited: Promise<number | null>;
  type(text: string): void;
}

function run(...args: string[]): Ran {
  const child = spawn(
    process.execPath,
    [MAIN, 'commission', 'vault', '--config', join(directory, 'p.yaml'), ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const ran: Ran = {
    stdout: '',
    stderr: '',
    exited: once(child, 'close').then(([code]) => code as number | null),
    type: (text) => void child.stdin.write(`${text}\n`),
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
  return ran;
}

describe('portcullis commission', { timeout: 60_000 }, () => {
  test('asks, takes an answer, goes on being alive, and ends with a table', async () => {
    const ran = run();
    await eventually('the session', () => stream !== null);
    expect(asked('/v1/commissionings')[0]?.body).toMatchObject({ link: 'vault', unattended: false });
    tell(QUESTION);
    await eventually(`the question; ${ran.stderr}`, () => ran.stdout.includes('Pull the supply'));
    expect(ran.stdout).toContain('Type "done" or "skip" and Enter');
    ran.type('perhaps');
    await eventually('to be told what can be answered', () =>
      ran.stdout.includes('please answer done or skip'),
    );
    expect(asked('/answers')).toEqual([]);
    ran.type(' Done ');
    await eventually('the answer', () => asked('/answers').length === 1);
    expect(asked('/answers')[0]).toEqual({
      url: '/v1/commissionings/abc/answers',
      body: { question: 7, answer: 'done' },
    });
    // A second Enter answers nothing that is not asked.
    ran.type('done');
    await eventually('renewals', () => asked('/v1/leases/abc/renewal').length > 2);
    tell({
      event: 'result',
      step: 'without-power',
      about: 'the board',
      verdict: 'passed',
      not_tried: null,
      code: null,
      says: 'the link fell',
    });
    tell(OVER);
    expect(await ran.exited).toBe(0);
    expect(asked('/answers')).toHaveLength(1);
    expect(ran.stdout).toContain('passed: the link fell');
    expect(ran.stdout).toMatch(/relay +connect +1\.0 \/ 2\.3 \/ 3\.5 +.* -\n/);
    expect(ran.stdout).toContain('ran out after 3041 ms, renewal proven');
    expect(ran.stdout).toContain('PASSED and recorded (digest)');
  });

  test('ends with 1 when it failed, and lists why', async () => {
    const ran = run('--yes');
    await eventually('the session', () => stream !== null);
    expect(asked('/v1/commissionings')[0]?.body).toMatchObject({ unattended: true });
    tell({ ...OVER, verdict: 'failed', reasons: ['contact relay is welded; replace it'] });
    expect(await ran.exited).toBe(1);
    expect(ran.stdout).toContain('FAILED and recorded');
    expect(ran.stdout).toContain('contact relay is welded; replace it');
    expect(ran.stderr).toContain('not commissioned');
  });

  test('says of emulated boards that nothing is proven, whatever passed', async () => {
    const ran = run('--yes');
    await eventually('the session', () => stream !== null);
    tell({ ...OVER, simulated: true });
    expect(await ran.exited).toBe(0);
    expect(ran.stdout).toContain('PASSED on EMULATED boards');
    expect(ran.stdout.replaceAll(/nothing is proven/g, '')).not.toContain('proven');
  });

  test('--json prints one line per event and nothing else', async () => {
    const ran = run('--json');
    await eventually('the session', () => stream !== null);
    tell({ event: 'alive' });
    tell(QUESTION);
    await eventually('the question', () => ran.stdout.includes('"question"'));
    ran.type('s');
    await eventually('the answer', () => asked('/answers').length === 1);
    tell(OVER);
    expect(await ran.exited).toBe(0);
    const events = ran.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as CommissioningLine).event);
    expect(events).toEqual(['begun', 'question', 'over']);
    expect(asked('/answers')[0]?.body).toEqual({ question: 7, answer: 'skip' });
  });

  test('says why it is refused, and what to do', async () => {
    refusal = { code: 'tripped', why: 'the link was tripped', hint: 'reset it first' };
    const ran = run();
    expect(await ran.exited).toBe(1);
    expect(ran.stderr).toContain('the link was tripped');
    expect(ran.stderr).toContain('reset it first');
  });

  test('ends with 1 when the stream breaks', async () => {
    const ran = run();
    await eventually('the session', () => stream !== null);
    stream?.destroy();
    expect(await ran.exited).toBe(1);
    expect(ran.stderr).toContain('portcullis:');
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  test('without an interlock says that there is none', async () => {
    server.close();
    rmSync(join(directory, 'run'), { recursive: true });
    const ran = run();
    expect(await ran.exited).toBe(1);
    expect(ran.stderr).toContain('is the interlock running?');
  });
});
