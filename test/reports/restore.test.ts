/** `docs/restore.md`, command by command: on the worst day nobody has time for a page that is wrong. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { here, type Names, Terminal } from '../docs/terminal.ts';
import { build } from '../faults/build.ts';
import { eventually, type Child } from '../faults/child.ts';
import { missingTools, Scenario } from '../faults/rig.ts';

const PAGE = readFileSync(new URL('../../docs/restore.md', import.meta.url), 'utf8');
const missing = missingTools();

/** What the page tells the reader to do, in order. */
type Deed =
  | { readonly kind: 'command'; readonly line: string; readonly goesOn: boolean }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'the box is gone' };

const DIRECTIVES = new Set(['goes on', 'interrupt', 'the box is gone']);

/** Every box of the page, and the remarks to this test between them. */
function deedsOf(page: string): readonly Deed[] {
  const deeds: Deed[] = [];
  let goesOn = false;
  for (const [, directive, box] of page.matchAll(/<!-- test: (.+?) -->|^```sh\n([\s\S]*?)^```$/gm)) {
    if (directive !== undefined && !DIRECTIVES.has(directive)) throw new Error(`what is "${directive}"?`);
    if (directive === 'goes on') goesOn = true;
    else if (directive === 'interrupt') deeds.push({ kind: directive });
    else if (directive === 'the box is gone') deeds.push({ kind: directive });
    for (const line of (box ?? '').split('\n').filter((each) => each !== '')) {
      deeds.push({ kind: 'command', line, goesOn });
      goesOn = false;
    }
  }
  return deeds;
}

let scenario: Scenario | null = null;
let terminal: Terminal | null = null;
afterEach(async () => {
  terminal?.end();
  await scenario?.end();
}, 60_000);

/** The names of the page, and what they are here. */
function namesHere(box: Scenario): Names {
  const url = /url: "?(rest:http:[^"\s,}]+)/.exec(readFileSync(box.config, 'utf8'))?.[1] ?? '';
  const inBox = (name: string): string => join(box.directory, name);
  return [
    ['rest:http://10.0.0.2:8000/', url],
    ['/etc/portcullis/vault.password', inBox('vault.password')],
    ['/root/vault.password', inBox('envelope')],
    ['/srv/restored/srv/data', inBox(`restored${box.data}`)],
    ['/srv/restored', inBox('restored')],
    ['/root/restored', inBox('by-hand')],
    ['/srv/one-file', inBox('one-file')],
    ['/srv/head.txt', inBox('head.txt')],
    ['/srv/data', box.data],
    ['/mnt/vault', inBox('store')],
  ];
}

/** `portcullis` as it is installed; it finds its configuration where it always is. */
function installed(box: Scenario): string {
  const bin = join(box.directory, 'bin');
  mkdirSync(bin);
  const program = join(bin, 'portcullis');
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${process.execPath}' '${build().main}' "$@" --config '${box.config}'\n`,
  );
  chmodSync(program, 0o755);
  return bin;
}

/** A vault with a backup in it, made straight on its disk. */
function backedUp(box: Scenario): ReadonlyMap<string, Buffer> {
  box.fill(6, 40_000);
  box.makeRepository();
  execFileSync('restic', ['--no-cache', 'backup', box.data], {
    stdio: 'pipe',
    env: {
      ...process.env,
      RESTIC_REPOSITORY: join(box.directory, 'store'),
      RESTIC_PASSWORD_FILE: join(box.directory, 'vault.password'),
    },
  });
  return contentOf(box.data);
}

const contentOf = (directory: string): ReadonlyMap<string, Buffer> =>
  new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));

test.skipIf(missing !== null)(
  'every command of the page does what the page says, with the box and without it',
  async () => {
    const box = await Scenario.begin({ vault: true });
    scenario = box;
    const lost = backedUp(box);
    const interlock = await box.interlock();
    rmSync(box.data, { recursive: true });
    const names = namesHere(box);
    for (const [name] of names) expect(PAGE).toContain(name);
    const env = {
      ...process.env,
      PATH: `${installed(box)}:${process.env['PATH'] ?? ''}`,
      RESTIC_CACHE_DIR: join(box.directory, 'cache'),
    };
    const shell = new Terminal(env);
    terminal = shell;
    let session: Child | null = null;
    let done = 0;
    for (const deed of deedsOf(PAGE)) {
      if (deed.kind === 'interrupt') {
        session?.signal('SIGINT');
        expect(await session?.exited).toMatchObject({ code: 0 });
        expect(session?.stdout).toContain('isolated, and proven to be');
        await box.board.standing('isolated');
      } else if (deed.kind === 'the box is gone') {
        // What the first part brought back, and all that is left of the box: an envelope.
        expect(contentOf(join(box.directory, `restored${box.data}`))).toEqual(lost);
        expect(readFileSync(join(box.directory, 'one-file'))).toEqual(lost.get('file-0'));
        await interlock.kill();
        writeFileSync(join(box.directory, 'envelope'), readFileSync(join(box.directory, 'vault.password')));
        for (const gone of ['vault.password', 'state', 'run', 'bin', 'cache'])
          rmSync(join(box.directory, gone), { recursive: true });
      } else {
        const line = here(deed.line, names);
        done += 1;
        if (deed.goesOn) session = await begun(box, line);
        else expect(await shell.run(line), line).toMatchObject({ code: 0 });
      }
    }
    expect(done).toBeGreaterThan(15);
    expect(contentOf(join(box.directory, `by-hand${box.data}`))).toEqual(lost);
    // Reading leaves nothing behind in the vault.
    expect(readdirSync(join(box.directory, 'store', 'locks'))).toEqual([]);
    expect(existsSync(join(box.directory, 'head.txt'))).toBe(true);
    expect(readFileSync(join(box.directory, 'head.txt'), 'utf8')).toContain('portcullis.local/journal/');
  },
  120_000,
);

/** The command of the first terminal, until it says that the link is connected. */
async function begun(box: Scenario, line: string): Promise<Child> {
  const [, words] = /^portcullis (.+)$/.exec(line) ?? [];
  const args = [...(words ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  );
  const child = box.run('first terminal', [...args, '--config', box.config]);
  await eventually('the vault to be connected', () => {
    if (child.ended !== null) throw new Error(child.words());
    return child.stdout.includes('connected;');
  });
  await box.board.standing('connected');
  return child;
}
