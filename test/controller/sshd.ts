/** Debian's OpenSSH server on loopback, with keys and a port of its own. Ended by its pid. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from './appliance.ts';

const SSHD = '/usr/sbin/sshd';

/** Why there is no SSH server here, or `null`. Says so aloud: a skipped test proves nothing. */
export function missingSsh(): string | null {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    execFileSync('sh', ['-c', `test -x ${SSHD}`]);
    return null;
  } catch {
    const why =
      'NOT TESTED: sftp, for ssh or sshd is missing (apt-get install openssh-server openssh-client)';
    console.warn(why);
    return why;
  }
}

export class Sshd {
  readonly user = userInfo().username;
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** A key that this server does not have. */
  readonly foreignHostsFile: string;
  port = 0;
  #process: ChildProcess | null = null;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, 'sshd');
    this.keyFile = join(this.#directory, 'client_key');
    this.knownHostsFile = join(this.#directory, 'known_hosts');
    this.foreignHostsFile = join(this.#directory, 'foreign_hosts');
  }

  async start(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    const hostKey = join(this.#directory, 'host_key');
    const foreign = join(this.#directory, 'foreign_key');
    for (const path of [this.keyFile, hostKey, foreign])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    this.port = await freePort();
    const known = (key: string): string => `[127.0.0.1]:${this.port} ${readFileSync(`${key}.pub`, 'utf8')}`;
    writeFileSync(this.knownHostsFile, known(hostKey));
    writeFileSync(this.foreignHostsFile, known(foreign));
    const lines = [
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${hostKey}`,
      'PidFile none',
      `AuthorizedKeysFile ${this.keyFile}.pub`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'Subsystem sftp internal-sftp',
    ];
    const config = join(this.#directory, 'sshd_config');
    writeFileSync(config, `${lines.join('\n')}\n`);
    const child = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2_000);
    });
    await eventually('sshd to listen', () => {
      if (child.exitCode !== null) throw new Error(`sshd ended: ${said}`);
      return said.includes('Server listening');
    });
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
    });
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
  }
}
