/**
 * From an unknown prompt to one that is certain. Keys are pressed one after the other until something is recognised;
 * a half-typed line is erased before any line end is sent, for the line might be `no shutdown`. What looks like a question
 * that the profile does not know is left alone. The password is typed only where one is asked for, and once.
 */
import { randomBytes } from 'node:crypto';
import { Conversation, type Terminal } from './conversation.ts';
import { type CursorSays, looksLikeQuestion, type Question } from './cursor.ts';
import type { ConsoleDevice, Key } from './fields.ts';
import type { Login } from './login.ts';
import { quoted } from './printed.ts';
import { markerLine, type Mode, pressedBytes, spelled, typedBytes } from './script.ts';

/** Most things typed or pressed before it is given up: more is a switch that runs in circles. */
const MAX_TURNS = 40;
const MARK_BYTES = 4;

/** How waking ended. */
export type WakeEnd =
  | { readonly kind: 'stands'; readonly at: Mode['at'] }
  | { readonly kind: 'failed' | 'login-refused'; readonly why: string };

/** Wakes a console. Types nothing that changes the switch. */
export function wake(terminal: Terminal, device: ConsoleDevice, login: Login): Promise<WakeEnd> {
  const waker = new Waker(terminal, device, login);
  return waker.run();
}

class Waker {
  readonly #talk: Conversation;
  readonly #device: ConsoleDevice;
  readonly #login: Login;
  readonly #keys: Key[];
  /** What has been answered to: the same twice means that it was not accepted. */
  readonly #given = { username: 0, login: 0, privilege: 0 };
  #asking: 'login' | 'privilege' = 'login';
  #secret = '';

  constructor(terminal: Terminal, device: ConsoleDevice, login: Login) {
    this.#talk = new Conversation(terminal, device);
    this.#device = device;
    this.#login = login;
    this.#keys = [...device.wake];
  }

  async run(): Promise<WakeEnd> {
    const { quiet_ms: quietMs } = this.#device.timings;
    const rest = this.#talk.terminal.handsOffMs();
    let says = await this.#talk.cursor(rest > 0 ? rest : 2 * quietMs);
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const next = await this.#turn(says);
      if ('end' in next) return next.end;
      says = next.says;
    }
    return this.#failed('the console asks one thing after another and shows no prompt');
  }

  async #turn(says: CursorSays): Promise<{ readonly says: CursorSays } | { readonly end: WakeEnd }> {
    const { reply_timeout_ms: replyMs, wake_ms: wakeMs } = this.#device.timings;
    switch (says.kind) {
      case 'nothing': {
        const key = this.#nextKey();
        if (key === null) return { end: this.#failed(this.#unrecognised()) };
        return { says: await this.#talk.send(pressedBytes(this.#device, key), wakeMs) };
      }
      case 'question':
        return { says: await this.#answer(says.question, wakeMs) };
      case 'username': {
        const { username } = this.#login;
        if (username === null)
          return { end: this.#failed('the switch asks for a user name; set login.username of the bus') };
        if (this.#given.username > 0) return { end: this.#refused() };
        this.#given.username += 1;
        return { says: await this.#talk.send(typedBytes(this.#device, [username]), replyMs) };
      }
      case 'password':
        return this.#password(replyMs);
      case 'mode':
        return this.#prompt(says.at, replyMs);
    }
  }

  /** Keys that end a line are not pressed where they might say yes. */
  #nextKey(): Key | null {
    const asked = looksLikeQuestion(this.#talk.terminal.line());
    for (;;) {
      const key = this.#keys.shift();
      if (key === undefined) return null;
      if (!asked || key.startsWith('ctrl-') || key === 'n') return key;
    }
  }

  #answer(question: Question, wakeMs: number): Promise<CursorSays> {
    return this.#talk.send(pressedBytes(this.#device, question.answer), wakeMs);
  }

  async #password(replyMs: number): Promise<{ readonly says: CursorSays } | { readonly end: WakeEnd }> {
    const what = this.#asking;
    if (this.#given[what] > 0) return { end: this.#refused() };
    const secret = await this.#login.secret(what);
    if (secret.kind === 'missing') return { end: this.#failed(secret.why) };
    this.#given[what] += 1;
    this.#secret = secret.text;
    return { says: await this.#talk.send(typedBytes(this.#device, [secret.text]), replyMs) };
  }

  async #prompt(
    at: Mode['at'],
    replyMs: number,
  ): Promise<{ readonly says: CursorSays } | { readonly end: WakeEnd }> {
    const fresh = await this.#mark(replyMs);
    if (fresh === null) return { end: this.#failed('the console does not echo what is typed') };
    if (fresh.kind !== 'mode' || fresh.at !== at) return { says: fresh };
    if (at !== 'user') return { end: { kind: 'stands', at } };
    const { privilege } = this.#device;
    if (this.#given.privilege > 0) return { end: this.#refused() };
    if (privilege === undefined || this.#asking === 'privilege')
      return { end: { kind: 'login-refused', why: 'the switch does not let us into the privileged mode' } };
    this.#asking = 'privilege';
    this.#given.username = 0;
    return {
      says: await this.#talk.send(
        typedBytes(this.#device, [spelled(this.#device, privilege, null)]),
        replyMs,
      ),
    };
  }

  /** Types a mark; what stands after its echo is new. `null`: there was no echo. */
  #mark(replyMs: number): Promise<CursorSays | null> {
    const line = markerLine(this.#device, randomBytes(MARK_BYTES).toString('hex'));
    const from = this.#talk.terminal.count();
    this.#talk.terminal.write(typedBytes(this.#device, [line]));
    const look = (quietMs: number): CursorSays | null => {
      const echoed = this.#talk.terminal.lines(from).some((each) => each.trimEnd().endsWith(line));
      if (!echoed || quietMs === 0) return null;
      const says = this.#talk.terminal.cursor();
      return says.kind === 'nothing' ? null : says;
    };
    return this.#talk.terminal.wait(look, replyMs);
  }

  #refused(): WakeEnd {
    const which = this.#asking === 'login' ? 'login.password_file' : 'login.enable_password_file';
    return {
      kind: 'login-refused',
      why: `the switch does not accept the login; check login.username and ${which} of the bus`,
    };
  }

  #failed(why: string): WakeEnd {
    return this.#talk.wasRefused ? this.#refused() : { kind: 'failed', why };
  }

  #unrecognised(): string {
    const shown = this.#talk.terminal.line();
    const line = this.#secret === '' ? shown : shown.replaceAll(this.#secret, '***');
    if (line.trim() === '') return 'the console shows no prompt';
    if (looksLikeQuestion(line))
      return `the console asks ${quoted(line)}, which the profile does not know; answer it by hand`;
    return `the console shows no prompt that the profile knows; the last line is ${quoted(line)}`;
  }
}
