/**
 * The box on which the pages are followed: a real interlock, controller, board and vault in a directory of their own, and the
 * launchers of a checkout as it is prepared and compiled. Sources are those that the pages tell people to configure.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { base32, codeOf, stepAt } from '../../src/interlock/rights/totp.ts';
import { Child, eventually } from '../faults/child.ts';
import { LINK, Scenario } from '../faults/rig.ts';
import { build } from '../faults/build.ts';
import { Receiver } from '../notify/parts.ts';
import { blocksIn, pages } from './pages.ts';
import type { Place } from './rows.ts';
import { type Names, Terminal } from './terminal.ts';

const TOP = join(import.meta.dirname, '../..');
/** People whose one-time codes count, on the pages as here. */
const APPROVERS = { alice: randomBytes(20), bob: randomBytes(20) } as const;
/** Pages whose source is configured here. */
const SOURCES = ['alertmanager', 'generic', 'wazuh'] as const;

export class Box implements Place {
  readonly scenario: Scenario;
  /** A directory with bin/portcullis in it, where people are when they type. */
  readonly checkout: string;
  readonly terminal: Terminal;
  /** What was sent to the destinations of notifications. */
  readonly told: Receiver;
  readonly env: NodeJS.ProcessEnv;
  /** What the controller says of its first account: where, and the setup code. */
  announced = '';
  /** A token that may read and cut, and the id of one that is to be revoked, once a page made them. */
  token = '';
  tokenId = '';
  /** The status of the link when an alert has tripped it, and a request that the API refused. */
  status = '';
  refused: unknown = null;

  private constructor(scenario: Scenario, told: Receiver) {
    this.scenario = scenario;
    this.told = told;
    this.checkout = join(scenario.directory, 'checkout');
    const tools = join(scenario.directory, 'tools');
    this.env = {
      ...environment(tools),
      // Who sends to the box trusts its certificate, as any client would be told to.
      CURL_CA_BUNDLE: join(scenario.state, 'tls/device.crt'),
      RESTIC_CACHE_DIR: join(scenario.directory, 'cache'),
    };
    placeProgram(this.checkout);
    mkdirSync(tools);
    tool(tools, 'sudo', 'exec "$@"');
    // Installed, the command finds its configuration where it always is.
    const program = `exec '${this.checkout}/bin/portcullis' "$@"`;
    tool(
      tools,
      'portcullis',
      `case $1 in check) ${program} '${scenario.config}' ;; esac
${program} --config '${scenario.config}'`,
    );
    this.terminal = new Terminal(this.env, this.checkout);
  }

  /** Everything running; the link was never commissioned. */
  static async begin(): Promise<Box> {
    const told = new Receiver();
    const scenario = await Scenario.begin({ vault: true, commissioned: false });
    try {
      const url = `http://127.0.0.1:${await told.start()}`;
      const etc = join(scenario.directory, 'etc');
      mkdirSync(etc);
      for (const [name, secret] of Object.entries(secrets(`${url}/slack`)))
        writeFileSync(join(etc, name), `${secret}\n`, { mode: 0o600 });
      scenario.configure({
        interlock: `{ listen: "127.0.0.1:${scenario.tripPort}", tls: device }`,
        notify: `[{ type: webhook, url: "${url}/hook", secret_file: ${etc}/notify.secret }, { type: slack, name: chat, url_file: ${etc}/slack.url }]`,
        sources: `${sourcesOfPages(etc)}\
  cron: { verify: { type: bearer, token_file: ${etc}/cron.token }, heartbeat: true }
approvers:
  alice: { secret_file: ${etc}/alice.secret }
  bob: { secret_file: ${etc}/bob.secret }
`,
      });
      scenario.fill(3, 20_000);
      const box = new Box(scenario, told);
      await scenario.interlock();
      const controller = await scenario.controller();
      box.announced = await eventually(
        `a setup code; ${controller.words()}`,
        () => /^.*with the setup code .*$/m.exec(controller.stdout)?.[0],
      );
      return box;
    } catch (error) {
      await told.stop();
      await scenario.end();
      throw error;
    }
  }

  /** What stands on every page, and what it is here. */
  names(): Names {
    const { directory, config, data, tripPort } = this.scenario;
    const code = (name: keyof typeof APPROVERS): string => codeOf(APPROVERS[name], stepAt(Date.now()));
    return [
      ['--config FILE', `--config '${config}'`],
      ['/etc/portcullis', join(directory, 'etc')],
      ['http://127.0.0.1:8470', `https://127.0.0.1:${tripPort}`],
      ['https://BOX:8470', `https://127.0.0.1:${tripPort}`],
      ['Bearer TOKEN', `Bearer ${this.token}`],
      ['BOX/api', `${this.#api()}/api`],
      ['alice:123456', `alice:${code('alice')}`],
      ['bob:654321', `bob:${code('bob')}`],
      ['rest:http://10.0.0.2:8000/', `rest:http://127.0.0.1:${this.scenario.board.cablePort}/`],
      ['/srv/data', data],
    ];
  }

  /** The id of what tripped the link, as its status shows it. */
  async cause(): Promise<string> {
    const link = await this.scenario.until(
      'a latch with proven isolation',
      (each) => each.latch !== null && each.proof !== 'none',
    );
    return link.latch?.cause ?? '';
  }

  /** Logs in as the person of docs/api.md, who asks for a reset without presence and codes. */
  async askReset(): Promise<void> {
    const api = `${this.#api()}/api/v1`;
    const json = { 'content-type': 'application/json' };
    const person = JSON.stringify({ name: 'ada', password: 'a long password' });
    const login = await fetch(`${api}/login`, { method: 'POST', headers: json, body: person });
    const cookie = login.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '';
    const headers = { ...json, cookie, origin: this.#api() };
    const body = JSON.stringify({ reason: 'a test' });
    const answer = await fetch(`${api}/links/${LINK}/reset`, { method: 'POST', headers, body });
    this.refused = await answer.json();
  }

  #api(): string {
    return /open (\S+) and/.exec(this.announced)?.[1] ?? '';
  }

  /** Trips the link as the alarm of a page would, and waits until its isolation is proven. */
  async trip(): Promise<void> {
    const { code, stderr } = await this.scenario.command('trip', LINK, '--reason', 'a test');
    if (code !== 0) throw new Error(stderr);
    await this.cause();
  }

  /** Lifts the latch, if there is one. */
  async reset(): Promise<void> {
    const link = await this.scenario.link();
    if (link?.latch === null) return;
    const { code, stderr } = await this.scenario.command(
      'reset',
      LINK,
      '--reason',
      'a test',
      '--cause',
      await this.cause(),
    );
    if (code !== 0) throw new Error(stderr);
  }

  /** Starts a command that goes on, in the checkout, as a terminal of its own. */
  goesOn(line: string): Child {
    return new Child(line, 'bash', ['-c', `cd '${this.checkout}' && exec ${line}`], this.env);
  }

  async end(): Promise<void> {
    this.terminal.end();
    await this.told.stop();
    await this.scenario.end();
  }
}

/** What a terminal has around it; programs in `tools` come first. */
export const environment = (tools: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: [tools, dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
});

/** The launchers and the program, as bin/install leaves them. */
export function placeProgram(directory: string): void {
  mkdirSync(join(directory, 'runtime/bin'), { recursive: true });
  cpSync(join(TOP, 'bin'), join(directory, 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(directory, 'runtime/bin/node'));
  for (const name of ['dist', 'package.json', 'firmware-profiles'])
    symlinkSync(join(dirname(build().main), '..', name), join(directory, name));
}

function tool(directory: string, name: string, script: string): void {
  const file = join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** The sources of the pages, as they stand there, with secrets in `etc`. */
function sourcesOfPages(etc: string): string {
  return SOURCES.map((name) => {
    const page = `docs/sources/${name}.md`;
    const block = blocksIn(page, pages.get(page) ?? '').find(({ text }) => text.startsWith('sources:\n'));
    if (block === undefined) throw new Error(`${page} configures no source`);
    return block.text.replace('sources:\n', '').replaceAll('/etc/portcullis', etc);
  }).join('');
}

/** The secrets of the box, by the names of their files. */
function secrets(slack: string): Readonly<Record<string, string>> {
  const token = (): string => randomBytes(16).toString('hex');
  const key = (): string => `whsec_${randomBytes(32).toString('base64')}`;
  return {
    'alertmanager.token': token(),
    'watchdog.token': token(),
    'wazuh.token': token(),
    'cron.token': token(),
    'scripts.secret': key(),
    'notify.secret': key(),
    'slack.url': slack,
    'alice.secret': base32(APPROVERS.alice),
    'bob.secret': base32(APPROVERS.bob),
    'vault.password': 'a password',
  };
}
