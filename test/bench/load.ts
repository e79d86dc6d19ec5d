/** Work for both cores, as backups make it. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Both cores busy: two restics that back up noise into scratch repositories, over and over. */
export function startLoad(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-load-'));
  mkdirSync(join(directory, 'data'));
  for (let i = 0; i < 64; i += 1) writeFileSync(join(directory, 'data', String(i)), randomBytes(1 << 20));
  const loop = (n: number) =>
    spawn(
      'sh',
      [
        '-c',
        'restic init -q; while :; do restic backup -q --force "$0/data"; restic forget -q --keep-last 1 --prune; done',
        directory,
      ],
      {
        env: {
          ...process.env,
          RESTIC_REPOSITORY: join(directory, `repository-${n}`),
          RESTIC_PASSWORD: 'load',
          RESTIC_CACHE_DIR: join(directory, 'cache'),
        },
        stdio: 'ignore',
        detached: true,
      },
    );
  const loops = [loop(0), loop(1)];
  return () => {
    for (const { pid } of loops) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
}
