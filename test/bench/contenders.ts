/** What people would use instead: each with one HTTP address that writes one coil of one Modbus TCP board. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { end, startHelper, TOKEN } from './rig.ts';

/** One way from an HTTP request to an isolate frame. */
export interface Contender {
  readonly name: string;
  /** Of everything between request and frame. */
  readonly version: string;
  /** Frames for this unit are its own. */
  readonly unit: number;
  readonly request: { readonly method: 'GET' | 'POST'; readonly port: number; readonly path: string };
  close(): Promise<void>;
}

/** Where `bin/bench --peers` puts what is not installed. */
const PEERS = fileURLToPath(new URL('../../.toolchain/peers/', import.meta.url));
const START_WITHIN_MS = 60_000;
const MBPOLL = 'mbpoll';

/** Starts one; rejects with why it cannot take part. */
export type Start = (boardPort: number, unit: number) => Promise<Contender>;

/** Everything but Portcullis, by name. */
export const CONTENDERS: Readonly<Record<string, Start>> = {
  'bare node:http': startFloor,
  'webhook + mbpoll': startWebhook,
  'Node-RED': startNodeRed,
  'pdudaemon + mbpoll': startPduDaemon,
};

async function startFloor(boardPort: number, unit: number): Promise<Contender> {
  const { child, first } = await startHelper('floor.ts', [boardPort, unit]);
  return {
    name: 'bare node:http',
    version: process.version,
    unit,
    request: { method: 'POST', port: Number(first['port']), path: '/' },
    close: () => end(child),
  };
}

/** The arguments with which mbpoll writes 0 to the coil `reference` (from 1). */
const mbpoll = (boardPort: number, unit: number, reference: string): string[] => [
  '-m',
  'tcp',
  '-p',
  `${boardPort}`,
  '-a',
  `${unit}`,
  '-r',
  reference,
  '-t',
  '0',
  '-1',
  '127.0.0.1',
  '0',
];

async function startWebhook(boardPort: number, unit: number): Promise<Contender> {
  const program = present('webhook');
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-webhook-'));
  const port = await freePort();
  const rule = {
    match: {
      type: 'value',
      value: `Bearer ${TOKEN}`,
      parameter: { source: 'header', name: 'Authorization' },
    },
  };
  const hook = {
    id: 'trip',
    'execute-command': present(MBPOLL),
    'pass-arguments-to-command': mbpoll(boardPort, unit, '1').map((name) => ({ source: 'string', name })),
    'include-command-output-in-response': true,
    'trigger-rule': rule,
  };
  writeFileSync(join(directory, 'hooks.json'), JSON.stringify([hook]));
  const child = start(program, [
    '-hooks',
    join(directory, 'hooks.json'),
    '-ip',
    '127.0.0.1',
    '-port',
    `${port}`,
  ]);
  return whole(
    'webhook + mbpoll',
    `${packageVersion('webhook')} + ${packageVersion(MBPOLL)}`,
    unit,
    child,
    directory,
    {
      method: 'POST',
      port,
      path: '/hooks/trip',
    },
  );
}

/** It has no Modbus of its own and no check of who asks; it runs a command. */
async function startPduDaemon(boardPort: number, unit: number): Promise<Contender> {
  const home = join(PEERS, 'pdudaemon');
  if (!existsSync(join(home, 'usr/sbin/pdudaemon')))
    throw new Error('pdudaemon could not be unpacked from Debian');
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-pdudaemon-'));
  const port = await freePort();
  const command = [present(MBPOLL), ...mbpoll(boardPort, unit, '%s')].join(' ');
  const settings = {
    daemon: { hostname: '127.0.0.1', port, logging_level: 'ERROR', listener: 'http' },
    pdus: { board: { driver: 'localcmdline', cmd_on: command, cmd_off: command } },
  };
  writeFileSync(join(directory, 'pdudaemon.conf'), JSON.stringify(settings));
  const child = start(
    present('python3'),
    [join(home, 'usr/sbin/pdudaemon'), '--conf', join(directory, 'pdudaemon.conf')],
    {
      PYTHONPATH: join(home, 'usr/lib/python3/dist-packages'),
    },
  );
  const version = readFileSync(join(home, 'version'), 'utf8').trim();
  return whole('pdudaemon + mbpoll', `${version} + ${packageVersion(MBPOLL)}`, unit, child, directory, {
    method: 'GET',
    port,
    path: '/power/control/off?hostname=board&port=1',
  });
}

async function startNodeRed(boardPort: number, unit: number): Promise<Contender> {
  const home = join(PEERS, 'node-red');
  const program = join(home, 'node_modules/node-red/red.js');
  if (!existsSync(program)) throw new Error('npm could not install it');
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-node-red-'));
  const port = await freePort();
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    httpAdminRoot: false,
    userDir: home,
    flowFile: join(directory, 'flows.json'),
  };
  writeFileSync(join(directory, 'settings.cjs'), `module.exports = ${JSON.stringify(settings)};\n`);
  writeFileSync(settings.flowFile, JSON.stringify(flow(boardPort, unit)));
  const child = start(process.execPath, [program, '--settings', join(directory, 'settings.cjs')]);
  const version = (name: string): string =>
    (
      JSON.parse(readFileSync(join(home, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      }
    ).version;
  const named = `${version('node-red')} + contrib-modbus ${version('node-red-contrib-modbus')}`;
  return whole('Node-RED', named, unit, child, directory, { method: 'POST', port, path: '/trip' });
}

/** `http in` → the bearer is compared → `modbus-write`, whose answer is the HTTP answer. */
function flow(boardPort: number, unit: number): object[] {
  const check = `if (msg.req.headers.authorization !== 'Bearer ${TOKEN}') { msg.statusCode = 401; return [null, msg]; }
msg.payload = false; return [msg, null];`;
  return [
    { id: 'tab', type: 'tab', label: 'trip' },
    { id: 'in', type: 'http in', z: 'tab', url: '/trip', method: 'post', wires: [['check']] },
    { id: 'check', type: 'function', z: 'tab', func: check, outputs: 2, wires: [['write'], ['out']] },
    {
      id: 'write',
      type: 'modbus-write',
      z: 'tab',
      dataType: 'Coil',
      adr: '0',
      quantity: '1',
      server: 'board',
      unitid: `${unit}`,
      keepMsgProperties: true,
      emptyMsgOnFail: true,
      showErrors: true,
      wires: [['out'], []],
    },
    { id: 'out', type: 'http response', z: 'tab', wires: [] },
    {
      id: 'board',
      type: 'modbus-client',
      name: 'slave',
      clienttype: 'tcp',
      bufferCommands: true,
      tcpHost: '127.0.0.1',
      tcpPort: `${boardPort}`,
      tcpType: 'DEFAULT',
      unit_id: `${unit}`,
      commandDelay: '1',
      clientTimeout: '1000',
      reconnectOnTimeout: true,
      reconnectTimeout: '2000',
      parallelUnitIdsAllowed: true,
      stateLogEnabled: false,
      queueLogEnabled: false,
      failureLogEnabled: true,
    },
  ];
}

async function whole(
  name: string,
  version: string,
  unit: number,
  child: ChildProcess,
  directory: string,
  request: Contender['request'],
): Promise<Contender> {
  const close = async (): Promise<void> => {
    await end(child, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await listening(request.port, child);
  } catch (error) {
    await close();
    throw error;
  }
  return { name, version, unit, request, close };
}

const start = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess => spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });

async function listening(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  while (performance.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended at its start');
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(true)).on('error', () =>
        resolve(false),
      );
      socket.on('connect', () => socket.destroy());
    });
    if (isThere) return;
    await pause(100);
  }
  throw new Error(`it did not listen within ${START_WITHIN_MS / 1_000} s`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The path of a program, or an error that says it is missing. */
function present(program: string): string {
  const places = ['/usr/bin', '/usr/local/bin', '/bin'].map((directory) => join(directory, program));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`${program} is not installed`);
  return found;
}

const packageVersion = (name: string): string =>
  `${name} ${execFileSync('dpkg-query', ['--show', '--showformat=${Version}', name], { encoding: 'utf8' })}`;
