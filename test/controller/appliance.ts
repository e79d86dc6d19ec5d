/** A whole appliance around the real controller: fake interlock, cut-able path, real restic, real rclone server. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { configSchema } from '../../src/config/schema.ts';
import type { Config } from '../../src/config/schema.ts';
import { serveApi } from '../../src/api/compose.ts';
import { PeopleFile } from '../../src/api/people/people-file.ts';
import { People } from '../../src/api/people/people.ts';
import { startController } from '../../src/controller/compose.ts';
import type { Controller } from '../../src/controller/compose.ts';
import { processesWith } from '../../src/controller/processes/proc.ts';
import type { WindowReport } from '../../src/controller/report.ts';
import type { Voice, WindowProgress } from '../../src/controller/voice.ts';
import { INTERLOCK_SOCKET } from '../../src/protocol/messages.ts';
import { initialiseCheaply } from './cheap-key.ts';
import { FakeInterlock } from './fake-interlock.ts';
import { Gate } from './gate.ts';

/** Another restic than the one in PATH, to run the same tests against. */
export const RESTIC = process.env['PORTCULLIS_TEST_RESTIC'] ?? 'restic';

/** Why the tests with real tools cannot run here, or `null`. Says so aloud: a skipped test proves nothing. */
export function missingTools(): string | null {
  const missing = [RESTIC, 'rclone', 'setpriv'].filter((tool) => {
    try {
      execFileSync(tool, [tool === 'setpriv' ? '--version' : 'version'], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return null;
  const why = `NOT TESTED: windows with a real restic, for these are missing: ${missing.join(', ')} (apt-get install restic rclone util-linux)`;
  console.warn(why);
  return why;
}

/** ms for a controller to stop; it gives restic five seconds. */
const STOP_TIMEOUT_MS = 20_000;

/** Polls `look` until it gives something; fails with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  look: () => T | null | undefined | false,
  timeoutMs = 25_000,
): Promise<T> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endsAt) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    // oxlint-disable-next-line no-await-in-loop -- polling
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What tests look at in the ledger. */
const ledgerShape = z.looseObject({
  repositories: z.record(
    z.string(),
    z.looseObject({ mark: z.looseObject({ kind: z.string() }).nullable(), last_good_backup: z.unknown() }),
  ),
});

export interface Note {
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** The window part of the configuration, as in the file. */
export type WindowFile = Readonly<Record<string, unknown>>;

export class Appliance {
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-controller-'));
  readonly source = join(this.directory, 'source');
  readonly vault = join(this.directory, 'vault');
  readonly state = join(this.directory, 'state', 'controller');
  readonly runtime = join(this.directory, 'run');
  readonly passwordFile = join(this.directory, 'password');
  readonly interlock = new FakeInterlock(join(this.runtime, INTERLOCK_SOCKET));
  readonly notes: Note[] = [];
  readonly progress: WindowProgress[] = [];
  readonly reports: WindowReport[] = [];
  controller: Controller | null = null;
  gate: Gate | null = null;
  url = '';
  gatePort = 0;
  #server: ChildProcess | null = null;
  #token = '';

  /** `serverArgs`: more for the server of the vault. */
  async start(serverArgs: readonly string[] = []): Promise<void> {
    for (const path of [this.source, this.vault, this.runtime]) mkdirSync(path, { recursive: true });
    writeFileSync(this.passwordFile, 'a password\n');
    await this.interlock.start();
    const port = await freePort();
    const args = [
      'serve',
      'restic',
      '--addr',
      `127.0.0.1:${port}`,
      '--config',
      '/dev/null',
      '--cache-objects=false',
      ...serverArgs,
      this.vault,
    ];
    this.#server = spawn('rclone', args, { stdio: 'ignore' });
    await eventually('rclone to listen', () => listens(port));
    this.gate = new Gate(port);
    this.gatePort = await this.gate.start();
    this.url = `rest:http://127.0.0.1:${this.gatePort}/`;
    this.interlock.onConnect = () => this.gate?.connect();
    this.interlock.onIsolate = () => this.gate?.cut();
  }

  /** Ends everything that was started here, even when the controller does not end by itself: then the test fails, and leaves nothing. */
  async stop(): Promise<void> {
    const patience = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error('the controller did not stop')), STOP_TIMEOUT_MS).unref();
    });
    try {
      await Promise.race([this.controller?.stop(), patience]);
    } finally {
      for (const pid of this.children()) process.kill(pid, 'SIGKILL');
      this.#server?.kill('SIGKILL');
      await this.interlock.stop();
      await this.gate?.stop();
      rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** A vault that is there before the controller is, and costs no time to open. */
  makeVault(): void {
    initialiseCheaply(this.vault, readFileSync(this.passwordFile, 'utf8').trim());
  }

  config(window: WindowFile, more: Readonly<Record<string, unknown>> = {}): Config {
    return configSchema.parse({
      state_directory: join(this.directory, 'state'),
      runtime_directory: this.runtime,
      controller: { listen: '127.0.0.1:0' },
      ...(RESTIC.startsWith('/') ? { restic: RESTIC } : {}),
      links: { vault: { contacts: [], settle: '10ms', connect_timeout: '1s' } },
      repositories: { main: { url: this.url, password_file: this.passwordFile } },
      windows: {
        nightly: { link: 'vault', opens: '* * * * *', timezone: 'UTC', lasts: '1h', grace: '0s', ...window },
      },
      ...more,
    });
  }

  async run(config: Config): Promise<Controller> {
    const voice: Voice = {
      note: (level, text, fields) => this.notes.push({ level, text, fields }),
      progress: (progress) => {
        if (progress !== null) this.progress.push(progress);
      },
    };
    this.controller = await startController(config, {
      serve: serveApi(),
      voice,
      onReport: (report) => this.reports.push(report),
    });
    await eventually('the controller to hear the interlock', () =>
      this.interlock.requests.includes('GET /v1/events'),
    );
    return this.controller;
  }

  /** A token that may read everything. */
  async token(): Promise<string> {
    if (this.#token !== '') return this.#token;
    const asked = { label: 'test', scopes: ['read' as const], days: 1, by: 'test' };
    const { secret } = await new People(new PeopleFile(this.state)).addToken(asked);
    this.#token = secret;
    return secret;
  }

  /** Opens the window and waits for its report. */
  async window(occurrence: string, lastsMs = 120_000, timeoutMs = 60_000): Promise<WindowReport> {
    this.interlock.openWindow('nightly', occurrence, lastsMs);
    return this.report(occurrence, timeoutMs);
  }

  report(occurrence: string, timeoutMs = 60_000): Promise<WindowReport> {
    return eventually(
      `the report of ${occurrence}`,
      () => this.reports.find((report) => report.occurrence === occurrence),
      timeoutMs,
    );
  }

  /** Waits until a backup has sent some bytes. */
  async untilUploading(bytes = 400_000): Promise<void> {
    await eventually('the backup to upload', () => (this.gate?.bytes ?? 0) > bytes);
  }

  /** Incompressible files. */
  fill(files: number, bytesEach: number, prefix = 'file'): void {
    for (let index = 0; index < files; index += 1)
      writeFileSync(join(this.source, `${prefix}-${index}`), randomBytes(bytesEach));
  }

  /** Runs restic straight on the vault's disk, past gate and server. */
  restic(...args: string[]): string {
    return execFileSync(RESTIC, ['--no-cache', ...args], {
      env: { ...process.env, RESTIC_REPOSITORY: this.vault, RESTIC_PASSWORD_FILE: this.passwordFile },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  files(kind: 'locks' | 'snapshots' | 'data' | 'index'): string[] {
    return (
      readdirSync(join(this.vault, kind), { recursive: true, encoding: 'utf8', withFileTypes: true })
        // Finished ones: while one is written it lies there under another name.
        .filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
        .map((entry) => entry.name)
    );
  }

  ledger(): z.output<typeof ledgerShape> {
    return ledgerShape.parse(JSON.parse(readFileSync(join(this.state, 'ledger.json'), 'utf8')));
  }

  /** Everything that this appliance's controller has started and that still lives. */
  children(): number[] {
    return processesWith(`PORTCULLIS_CONTROLLER=${this.state}`);
  }

  entries(type: string): Record<string, unknown>[] {
    return this.interlock.journal.filter((entry) => entry.type === type).map((entry) => entry.data);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** True when something on this machine listens on `port` (from the kernel's table, so nothing is connected to). */
function listens(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .some((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A`).test(line)),
  );
}
