/**
 * A switch that says what the examples of a profile recorded: its prompts, what it prints for each state, its questions. It
 * knows no more than the profile, so it shows that the profile is whole and what the driver types, not that it is right.
 */
import type { ConsoleProfile } from '../../src/contacts/console/profile.ts';
import type { Transport } from '../../src/contacts/transport.ts';

type Mode = 'user' | 'privileged' | 'configure' | 'interface';
type Position = 'isolated' | 'connected';
type Asked = 'administrative' | 'operational' | 'stored';

export class RecordedSwitch {
  readonly typed: string[] = [];
  /** Answers to questions, by kind. */
  readonly answered: string[] = [];
  stands: Position = 'isolated';
  readonly port: string;
  readonly #profile: ConsoleProfile;
  #mode: Mode;
  #line = '';
  #asking: ConsoleProfile['questions'][number] | null = null;
  #onBytes: ((bytes: Uint8Array) => void) | null = null;

  constructor(profile: ConsoleProfile) {
    this.#profile = profile;
    this.#mode = profile.prompts.user.length > 0 ? 'user' : 'privileged';
    const isolate = profile.examples.find((example) => example.ask === 'isolate');
    this.port = isolate !== undefined && 'port' in isolate ? isolate.port : '';
  }

  get transport(): Transport {
    return {
      where: 'a recorded switch',
      byteMs: 0,
      quietMs: 0,
      open: (events) => {
        this.#onBytes = events.onBytes;
        return Promise.resolve({
          write: (bytes) => {
            const text = Buffer.from(bytes).toString('latin1');
            setImmediate(() => this.#keys(text));
            return true;
          },
          drain: () => 0,
          discard: () => {
            this.#onBytes = null;
          },
        });
      },
    };
  }

  #say(text: string): void {
    this.#onBytes?.(Buffer.from(text, 'latin1'));
  }

  #prompt(): void {
    const shown = this.#profile.examples.find(
      (example) => example.ask === 'cursor' && example.means === this.#mode,
    );
    if (shown?.ask !== 'cursor') throw new Error(`no example shows the prompt of ${this.#mode}`);
    this.#say(shown.prints);
  }

  #keys(text: string): void {
    for (const key of text) {
      if (this.#asking !== null) this.#reply(key);
      else if (key === '\r' && this.#profile.line_end !== 'lf') this.#enter();
      else if (key === '\n' && this.#profile.line_end === 'lf') this.#enter();
      else if (key === '\u0003' || key === '\u0015') {
        this.#line = '';
        this.#say('\r\n');
        this.#prompt();
      } else if (key !== '\n') {
        this.#line += key;
        this.#say(key);
      }
    }
  }

  #reply(key: string): void {
    const asking = this.#asking;
    if (asking === null) return;
    this.answered.push(`${asking.kind}: ${key}`);
    this.#asking = asking.kind === 'logout' ? this.#question('save') : null;
    this.#say('\r\n');
    if (this.#asking !== null) this.#ask(this.#asking);
  }

  #question(kind: string): ConsoleProfile['questions'][number] | null {
    return this.#profile.questions.find((question) => question.kind === kind) ?? null;
  }

  #ask(question: ConsoleProfile['questions'][number]): void {
    const shown = this.#profile.examples.find(
      (example) => example.ask === 'cursor' && example.means === question.kind,
    );
    if (shown?.ask !== 'cursor') throw new Error(`no example shows the question of ${question.kind}`);
    this.#asking = question;
    this.#say(shown.prints);
  }

  #enter(): void {
    const line = this.#line;
    this.#line = '';
    this.#say('\r\n');
    this.typed.push(line);
    if (this.#profile.logout.includes(line) && (this.#mode === 'privileged' || this.#mode === 'user')) {
      const question = this.#question('logout') ?? this.#question('save');
      if (question !== null) this.#ask(question);
      return;
    }
    this.#obey(line);
    this.#prompt();
  }

  #obey(line: string): void {
    const { port } = this;
    const is = (template: string | undefined): boolean => template?.replaceAll('{port}', port) === line;
    const profile = this.#profile;
    const context = profile.interface === undefined ? 'configure' : 'interface';
    if (is(profile.privilege)) this.#mode = 'privileged';
    else if (is(profile.configure)) this.#mode = 'configure';
    else if (is(profile.interface)) this.#mode = 'interface';
    else if (profile.isolate.some(is) && !profile.connect.some(is)) this.stands = 'isolated';
    else if (profile.connect.some(is) && !profile.isolate.some(is)) this.stands = 'connected';
    else if (profile.leave.includes(line)) {
      const isStep = this.#mode === 'interface' && profile.leave.length > 1;
      this.#mode = isStep && context === 'interface' ? 'configure' : 'privileged';
    } else this.#show(line, is);
  }

  #show(line: string, is: (template: string | undefined) => boolean): void {
    const profile = this.#profile;
    const asked = (['administrative', 'operational', 'stored'] as const satisfies readonly Asked[]).find(
      (key) => is(profile[key]?.command) || (key !== 'stored' && is(profile[key].parked)),
    );
    if (asked === undefined) return;
    const means = asked === 'stored' ? 'isolated' : this.stands;
    const shown = profile.examples.find((example) => example.ask === asked && example.means === means);
    if (shown?.ask !== asked) throw new Error(`no example of ${line} shows ${means}`);
    // Recorded of another port perhaps: its name stands by itself in what is printed.
    const name = new RegExp(`(?<![\\w/])${shown.port.replaceAll(/[^\w]/g, '\\$&')}(?![\\w/])`, 'g');
    const printed = shown.port === this.port ? shown.prints : shown.prints.replaceAll(name, this.port);
    this.#say(`${printed.trimEnd().replaceAll('\n', '\r\n')}\r\n`);
  }
}
