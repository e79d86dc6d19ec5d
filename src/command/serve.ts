/** `portcullis interlock`, `portcullis controller` and `portcullis up`: the processes themselves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { configuredApart } from './configured-apart.ts';
import { say, warn } from './exit.ts';
import { isolateByPlan } from './isolate-first.ts';
import type { Supervisor } from '../interlock/last-resort/life-signs.ts';
import { serviceManager } from './service-manager.ts';

/** Pause before a process that died is started again, ms. */
const RESTART_PAUSE_MS = 1_000;
/** Of three signs of life two may be lost. */
const SIGNS_PER_WATCHDOG = 3;
/** How a process ends that was told to and did. */
const IN_ORDER = 'exit 0';
/** How long a process gets to end by itself, ms. */
const STOP_WITHIN_MS = 10_000;

/** Runs the interlock until it is told to stop. */
export async function runInterlock(file: string): Promise<void> {
  const supervisor = serviceManager();
  // A board with a supply of its own may have kept its contact through a power loss: it does not wait for the configuration,
  // and nothing else is loaded beside it: on a slow board that made these frames come last.
  await isolateByPlan();
  const [{ startInterlock }, { config, profiles }] = await Promise.all([
    import('../interlock/compose.ts'),
    configuredApart(file, 'interlock'),
  ]);
  const running = await startInterlock(config, profiles, undefined, supervisor);
  const { urls, fingerprint } = running.listening;
  say(
    `interlock: every link told to isolate; trips at ${urls.map((url) => `${url}/trip/SOURCE`).join(' and ')}`,
  );
  if (fingerprint !== null) say(`interlock: the SHA-256 fingerprint of its certificate is ${fingerprint}`);
  await stopAsked();
  await running.stop();
}

/** Runs the controller until it is told to stop. */
export async function runController(file: string): Promise<void> {
  const supervisor = serviceManager();
  const [{ startController }, { serveApi }, { config }] = await Promise.all([
    import('../controller/compose.ts'),
    import('../api/compose.ts'),
    configuredApart(file, 'controller'),
  ]);
  const announce = (line: string): void => say(`controller: ${line}`);
  const running = await startController(config, { serve: serveApi({ configFile: file, announce }) });
  const stopTurning = turning(supervisor);
  await Promise.race([stopAsked(), running.stopped]);
  stopTurning();
  await running.stop();
}

/** Tells systemd that the loop of the controller turns. Nothing rests on it: a hung controller loses its lease long before. */
function turning(supervisor: Supervisor | null): () => void {
  const status = 'waits for windows; how links stand is said by the interlock';
  supervisor?.ready(status);
  const every = (supervisor?.watchdogMs ?? 0) / SIGNS_PER_WATCHDOG;
  const timer = every > 0 ? setInterval(() => supervisor?.alive(status), every) : undefined;
  return () => {
    clearInterval(timer);
    supervisor?.stopping();
  };
}

/** Resolves at the first SIGTERM, SIGINT or SIGHUP (the terminal is gone). */
export const stopAsked = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** Runs both, each in a process of its own, until told to stop. */
export async function runUp(file: string): Promise<void> {
  await configuredApart(file, 'all');
  const pair = startPair(file, 'inherit');
  await stopAsked();
  await pair.stop();
}

/** Both processes, started again when one dies; after the interlock died every contact is isolated first. */
export interface Pair {
  stop(): Promise<void>;
}

/** Starts interlock and controller. `output` is where theirs goes: to ours, or to an open file. */
export function startPair(file: string, output: 'inherit' | number): Pair {
  const isOver = { value: false };
  const isolate = async (): Promise<void> => {
    const { isolateConfigured } = await import('./isolate.ts');
    const results = await isolateConfigured(file);
    const failed = results.filter((each) => !each.isolated).map((each) => each.contact);
    warn(
      failed.length === 0
        ? 'portcullis: the interlock died; every contact was isolated'
        : `portcullis: the interlock died and ${failed.join(', ')} could not be proven isolated; pull the cable by hand if in doubt`,
    );
  };
  const interlock = keepAlive(['interlock', '--config', file], output, isOver, isolate);
  const controller = keepAlive(['controller', '--config', file], output, isOver, () => Promise.resolve());
  return {
    async stop() {
      isOver.value = true;
      // The controller first, so that it gives its lease back and restic ends in order.
      await controller.stop();
      await interlock.stop();
    },
  };
}

function keepAlive(
  args: readonly string[],
  output: 'inherit' | number,
  isOver: { readonly value: boolean },
  afterDeath: () => Promise<void>,
): { stop(): Promise<void> } {
  const main = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url),
  );
  let child: ChildProcess | null = null;
  const live = async (): Promise<void> => {
    while (!isOver.value) {
      const born = spawn(process.execPath, [...process.execArgv, main, ...args], {
        stdio: ['ignore', output, output],
      });
      child = born;
      const how = await new Promise<string>((resolve) => {
        born.once('error', (error) => resolve(String(error)));
        born.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
      });
      // Whoever ended in order has isolated; whoever had to be killed has not, also when everything is being stopped.
      if (isOver.value && how === IN_ORDER) return;
      await afterDeath().catch((error: unknown) => warn(`portcullis: ${String(error)}`));
      if (isOver.value) return;
      warn(`portcullis: the ${args[0]} ended (${how}); it is started again`);
      await pause(RESTART_PAUSE_MS);
    }
  };
  const living = live();
  return {
    async stop() {
      child?.kill('SIGTERM');
      const late = setTimeout(() => child?.kill('SIGKILL'), STOP_WITHIN_MS);
      await living;
      clearTimeout(late);
    },
  };
}
