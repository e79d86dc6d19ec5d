/** The lives of the controller on the simulated box: the real composition root on a machine that is not there. */
import type { Child, ChildCall, ChildEnd } from '../../src/controller/processes/child.ts';
import type { Controller } from '../../src/controller/compose.ts';
import type { ControllerFace } from '../../src/controller/face.ts';
import type { LookAt } from '../../src/controller/guards/guards.ts';
import type { Machine } from '../../src/controller/machine.ts';
import type { WindowReport } from '../../src/controller/report.ts';
import type { ResticVersion } from '../../src/controller/restic/verdict.ts';
import type { Config } from '../../src/config/schema.ts';
import type { World } from '../simulation/world.ts';
import { HOSTS } from './layout.ts';
import type { Network } from './network.ts';
import { ProcessTime } from './process-time.ts';
import type { WholeProgram } from './program.ts';
import { Restic } from './restic.ts';
import type { Sources, Vault } from './vault.ts';

const RESTIC = '/usr/bin/restic';
/** The kernel kills what a dead process has started within this, ms. */
const DEATH_MS = 30;
const NOTE_CHARS = 160;
const QUIET: ReadonlySet<string> = new Set(['the controller is ready']);

/** One vault with what is backed up into it. */
export interface Place {
  readonly vault: Vault;
  readonly sources: Sources;
}

/** One process of the controller. */
export interface ControllerLife {
  readonly time: ProcessTime;
  readonly beganAt: number;
  endedAt: number | null;
  controller: Controller | null;
  face: ControllerFace | null;
}

/** A restic of some life. */
export interface Running {
  readonly restic: Restic;
  readonly place: Place;
  readonly life: ControllerLife;
}

/** Who is told what a controller does. */
export interface LifeEvents {
  readonly reported: (report: WindowReport) => void;
  readonly missed: (window: string, occurrence: string, why: string) => void;
  readonly crashed: (why: string) => void;
  readonly started: (running: Running) => void;
}

/** How what surrounds the controller does at the moment. */
export interface Surroundings {
  hookFails: boolean;
  allClear: boolean;
  destinationAnswers: boolean;
  slowness: number;
}

export class Lives {
  readonly #world: World;
  readonly #program: WholeProgram;
  readonly #config: Config;
  readonly #network: Network;
  readonly #version: ResticVersion;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #events: LifeEvents;
  readonly around: Surroundings = { hookFails: false, allClear: true, destinationAnswers: true, slowness: 1 };
  readonly running = new Set<Running>();
  life: ControllerLife | null = null;
  /** Nobody starts it again meanwhile. */
  isHeldBack = false;
  delivered = 0;
  #pids = 100;

  constructor(parts: {
    world: World;
    program: WholeProgram;
    config: Config;
    network: Network;
    version: ResticVersion;
    places: ReadonlyMap<string, Place>;
    events: LifeEvents;
  }) {
    this.#world = parts.world;
    this.#program = parts.program;
    this.#config = parts.config;
    this.#network = parts.network;
    this.#version = parts.version;
    this.#places = parts.places;
    this.#events = parts.events;
  }

  /** Starts a controller, as systemd does. One that cannot start is started again later. */
  async start(): Promise<void> {
    if (this.life !== null || this.isHeldBack) return;
    const { story } = this.#world;
    const time = new ProcessTime(this.#world);
    const life: ControllerLife = {
      time,
      beganAt: this.#world.time.now,
      endedAt: null,
      controller: null,
      face: null,
    };
    this.life = life;
    story.tell('controller started');
    try {
      const controller = await this.#program.startController(this.#config, {
        machine: this.#machineOf(life),
        voice: {
          note: (level, text, fields = {}) => this.#heard(level, text, fields),
          progress: () => undefined,
        },
        serve: async (face) => {
          life.face = face;
          return { url: '', stop: async () => undefined };
        },
        onReport: (report) => this.#events.reported(report),
      });
      life.controller = controller;
      controller.stopped.catch((error: unknown) => this.#ended(life, error));
    } catch (error) {
      if (!life.time.alive) return;
      const { code } = error as NodeJS.ErrnoException;
      if (typeof code !== 'string') return this.#ended(life, error);
      story.meet(`controller could not start: ${code}`);
      story.tell(`controller could not start: ${code}`);
      this.kill('gave up');
    }
  }

  /** From one instant to the next. systemd starts another one. */
  kill(how: string): void {
    const { dice, story, time } = this.#world;
    const { life } = this;
    if (life === null) return;
    story.tell(`controller ${how}`);
    this.#bury(life);
    time.after(dice.between(1_000, 8_000), () => void this.start());
  }

  /** The box is without power: everything is gone at once. */
  losePower(afterMs: number): void {
    for (const each of this.running) each.restic.kill();
    this.running.clear();
    if (this.life !== null) this.#bury(this.life);
    this.#world.time.after(afterMs, () => void this.start());
  }

  /** An orderly end, and another start. */
  async stop(): Promise<void> {
    const { life } = this;
    if (life?.controller === null || life === null) return;
    this.#world.story.tell('controller told to stop');
    await life.controller.stop();
    if (!life.time.alive) return;
    this.kill('stopped');
  }

  #bury(life: ControllerLife): void {
    const { dice, time } = this.#world;
    life.time.alive = false;
    life.endedAt = time.now;
    this.life = null;
    this.#network.breakAll(life.time);
    for (const each of this.running)
      if (each.life === life) time.after(dice.between(0.1, DEATH_MS), () => each.restic.kill());
  }

  #ended(life: ControllerLife, error: unknown): void {
    if (!life.time.alive) return;
    this.#events.crashed(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  #heard(level: string, text: string, fields: Readonly<Record<string, unknown>>): void {
    const { window, occurrence, why } = fields;
    if (!QUIET.has(text))
      this.#world.story.tell(
        `controller: ${level === 'info' ? '' : `${level}: `}${text}${typeof why === 'string' ? ` (${why})` : ''}`.slice(
          0,
          NOTE_CHARS,
        ),
      );
    if (level === 'error' && typeof window === 'string' && typeof occurrence === 'string')
      this.#events.missed(window, occurrence, text);
  }

  #machineOf(life: ControllerLife): Machine {
    const { dice, disk } = this.#world;
    const { time } = life;
    return {
      programs: { time, start: (call) => this.#startChild(life, call) },
      disk: disk.usedBy(time),
      ageOf: async () => 0,
      dice: () => dice.next(),
      wire: this.#network.wireOf(time),
      probe: async (host, _port, timeoutMs, stop) => {
        await time.pause(dice.between(1, 50), stop);
        const name = Object.entries(HOSTS).find(([, each]) => each === host)?.[0] ?? '';
        if (this.#places.get(name)?.vault.answers === true) return !stop.aborted;
        await time.pause(timeoutMs, stop);
        return false;
      },
      findRestic: async () => {
        await time.pause(dice.between(10, 100));
        return { path: RESTIC, version: this.#version };
      },
      look: this.#look(time),
      sender: () => async (_notice, stop) => {
        await time.pause(dice.between(20, 500), stop);
        if (!this.around.destinationAnswers) return { kind: 'later', why: 'simulated', afterMs: null };
        this.delivered += 1;
        return { kind: 'taken', answer: 'simulated' };
      },
      clearLeftovers: async () => undefined,
    };
  }

  /** What guards see of the sources of the window. */
  #look(time: ProcessTime): LookAt {
    const clear = { found: 'clear' as const, why: '', hint: '', numbers: {} };
    const wrong = (why: string) => ({ found: 'wrong' as const, why, hint: 'simulated', numbers: {} });
    return async (guard, post, stop) => {
      await time.pause(this.#world.dice.between(50, 2_000), stop);
      const { sources } = this.#places.get(post.config.link) ?? {};
      if (sources === undefined) return clear;
      if ('canary' in guard)
        return (sources.files[0]?.version ?? 0) === 0 ? clear : wrong('a canary is another');
      if ('source_present' in guard) return sources.missing ? wrong('the sources are not there') : clear;
      return this.around.allClear ? clear : { ...clear, found: 'unknown', why: 'nobody answers' };
    };
  }

  #startChild(life: ControllerLife, call: ChildCall): Child {
    const { promise: ended, resolve } = Promise.withResolvers<ChildEnd>();
    const end = (how: ChildEnd): void => life.time.enter(() => resolve(how));
    const words = [call.command, ...call.args];
    const at = words.indexOf(RESTIC);
    this.#pids += 1;
    const pid = this.#pids;
    if (at < 0) return { pid, ended, ...this.#startHook(end) };
    const host = /^rest:http:\/\/([\d.]+):/.exec(call.env['RESTIC_REPOSITORY'] ?? '')?.[1];
    const name = Object.entries(HOSTS).find(([, each]) => each === host)?.[0] ?? '';
    const place = this.#places.get(name);
    if (place === undefined)
      throw new RangeError(`no vault at ${call.env['RESTIC_REPOSITORY'] ?? 'nowhere'}`);
    const { dice, time, story } = this.#world;
    const args = words.slice(at + 1);
    const restic = new Restic({
      time,
      dice,
      version: this.#version,
      ...place,
      date: () => life.time.date(),
      args,
      slowness: this.around.slowness,
      stdout: (line) => life.time.enter(() => call.onStdout(line)),
      stderr: (line) => life.time.enter(() => call.onStderr(line)),
      ended: (how) => {
        this.running.delete(running);
        story.tell(`restic ${restic.command} ${name}: ${how.signal ?? `ended with ${how.exitCode}`}`);
        end(how);
      },
    });
    const running: Running = { restic, place, life };
    this.running.add(running);
    this.#events.started(running);
    return { pid, ended, askToStop: () => restic.interrupt(), killAll: () => restic.kill() };
  }

  #startHook(end: (how: ChildEnd) => void): Pick<Child, 'askToStop' | 'killAll'> {
    const { dice, time } = this.#world;
    const code = this.around.hookFails ? 1 : 0;
    const cancel = time.after(dice.between(50, 3_000), () =>
      end({ exitCode: code, signal: null, startProblem: null }),
    );
    return {
      askToStop: () => undefined,
      killAll: () => {
        cancel();
        end({ exitCode: null, signal: 'SIGKILL', startProblem: null });
      },
    };
  }
}
