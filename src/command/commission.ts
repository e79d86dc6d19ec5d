/** `portcullis commission LINK`: walks a person at the box through proving a link, and shows what was measured. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { buildId } from '../protocol/build.ts';
import {
  type CommissioningAnswer,
  type CommissioningLine,
  type ContactFigures,
  type HeldCommissioning,
  holdCommissioning,
} from '../protocol/commissioning.ts';
import { PRESENCE_SOCKET } from '../protocol/messages.ts';
import { configured } from './configured.ts';
import { CommandError, readerGone, say } from './exit.ts';

/** Options of the command. */
export interface CommissionOptions {
  readonly config: string;
  /** Nobody is there to lend a hand; refused by the interlock where a board is real. */
  readonly yes?: boolean;
  readonly json?: boolean;
}

type Told = Exclude<CommissioningLine, { event: 'alive' }>;
type Question = Extract<CommissioningLine, { event: 'question' }>;
type Over = Extract<CommissioningLine, { event: 'over' }>;

/** Commissions a link; throws `CommandError` 1 unless it passed. Whatever ends this process isolates the link at once. */
export async function commissionLink(link: string, options: CommissionOptions): Promise<void> {
  const { config } = await configured(options.config, 'none');
  const held = await holdCommissioning(
    { socketPath: join(config.runtime_directory, PRESENCE_SOCKET), build: buildId() },
    {
      link,
      by: userInfo().username,
      uid: process.getuid?.() ?? null,
      unattended: options.yes === true,
    },
  );
  const stop = new AbortController();
  const interrupted = (): void => {
    stop.abort();
    held.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
  readerGone.addEventListener('abort', interrupted);
  const teller = options.json === true ? sayJson : new Walk().teller;
  const person = new Typist(held, options.json === true);
  let over: Over | null = null;
  try {
    for await (const line of held.lines) {
      if (line.event === 'alive') continue;
      teller(line);
      person.heard(line);
      if (line.event === 'over') over = line;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new CommandError(1, 'ended by you; every contact was isolated, and nothing is recorded');
  } finally {
    person.leave();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupted);
  }
  if (over?.verdict !== 'passed')
    throw new CommandError(1, `${link}: not commissioned: ${over?.reasons[0] ?? 'the stream ended early'}`);
}

const sayJson = (line: Told): void => say(JSON.stringify(line));

/** Reads what a person types and answers the question that is asked with it. */
class Typist {
  readonly #held: HeldCommissioning;
  readonly #quiet: boolean;
  #asked: Question | null = null;
  #lines: Interface | null = null;

  constructor(held: HeldCommissioning, quiet: boolean) {
    this.#held = held;
    this.#quiet = quiet;
  }

  /** Not a terminal of readline's own: Ctrl-C must stay a signal. */
  heard(line: Told): void {
    this.#asked = line.event === 'question' ? line : null;
    if (this.#asked === null || this.#lines !== null) return;
    this.#lines = createInterface({ input: process.stdin, terminal: false });
    this.#lines.on('line', (text) => this.#typed(text.trim().toLowerCase()));
  }

  leave(): void {
    this.#lines?.close();
    process.stdin.unref?.();
  }

  #typed(text: string): void {
    const asked = this.#asked;
    if (asked === null || text === '') return;
    const answer = asked.answers.find((each) => each === text || each[0] === text);
    if (answer === undefined) {
      if (!this.#quiet) say(`        please answer ${asked.answers.join(' or ')}`);
      return;
    }
    this.#asked = null;
    this.#send(asked.question, answer);
  }

  #send(question: number, answer: CommissioningAnswer): void {
    this.#held.answer(question, answer).catch((error: unknown) => {
      if (!this.#quiet) say(`        not taken: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}

/** Tells a person what happens, what to expect, and what to do. */
class Walk {
  #step = 0;
  #of = 0;
  readonly teller = (line: Told): void => {
    for (const text of this.#lines(line)) say(text);
  };

  #lines(line: Told): readonly string[] {
    switch (line.event) {
      case 'begun':
        this.#of = line.steps.length;
        return [
          `Commissioning of ${line.link}: ${this.#of} steps, at most ${Math.round(line.ends_in_ms / 60_000)} minutes.`,
          'The vault is connected several times meanwhile. Ctrl-C isolates it at once, and so does anything that ends this command.',
          ...(line.simulated
            ? ['A board of this link is EMULATED: this proves nothing about hardware.']
            : []),
          '',
        ];
      case 'step':
        this.#step += 1;
        return [`[${this.#step}/${this.#of}] ${title(line)}: ${line.what}`];
      case 'cycle':
        return line.cycle === line.of ? [] : [`        cycle ${line.cycle} of ${line.of}`];
      case 'question':
        return [
          '',
          `  >>>   ${line.text}`,
          `        Type ${line.answers.map((each) => `"${each}"`).join(' or ')} and Enter (within ${Math.round(line.within_ms / 1_000)} s).`,
        ];
      case 'result':
        return [`        ${verdictWords(line)}`];
      case 'over':
        return summary(line);
    }
  }
}

const title = ({ step, about }: { readonly step: string; readonly about: string | null }): string =>
  about === null ? step : `${step}, ${about}`;

function verdictWords(line: Extract<Told, { event: 'result' }>): string {
  switch (line.verdict) {
    case 'passed':
      return `passed: ${line.says}`;
    case 'failed':
      return `FAILED (${line.code ?? 'unknown'}): ${line.says}`;
    case 'not-tried':
      // What was left out after a failure was never announced.
      return line.not_tried === 'earlier-failure' ? `${title(line)}: ${line.says}` : line.says;
  }
}

type Spread = ContactFigures['connect']['written'];

const figure = (spread: Spread): string =>
  spread === null ? '-' : [spread.min, spread.p50, spread.max].map((ms) => ms.toFixed(1)).join(' / ');

function summary(over: Over): readonly string[] {
  const head = ['contact', 'command', 'written', 'answered', 'read back', 'witness'];
  const rows = over.contacts.flatMap(({ name, connect, isolate }) =>
    Object.entries({ connect, isolate }).map(([command, times]) => [
      name,
      command,
      figure(times.written),
      figure(times.acknowledged),
      figure(times.read_back),
      figure(times.witness),
    ]),
  );
  const exposed =
    over.connected_ms === null
      ? []
      : [`The link was connected for ${(over.connected_ms / 1_000).toFixed(1)} s in all.`];
  return [
    '',
    ...(rows.length === 0
      ? []
      : ['From the command, ms: least / median / greatest', ...table([head, ...rows]), '']),
    ...over.contacts.map((contact) => contactWords(contact, over.simulated)),
    ...exposed,
    '',
    ...verdictLines(over),
  ];
}

function verdictLines({ verdict, reasons, record, simulated }: Over): readonly string[] {
  const listed = reasons.map((reason) => `  ${reason}`);
  switch (verdict) {
    case 'passed':
      return simulated
        ? [
            `PASSED on EMULATED boards, and recorded as simulated (${record ?? ''}): nothing is proven about hardware.`,
            'The windows of this link may be opened.',
          ]
        : [`PASSED and recorded (${record ?? ''}). The windows of this link may be opened.`];
    case 'failed':
      return ['FAILED and recorded; the link is isolated, and no window of it is opened:', ...listed];
    case 'ended':
      return ['ENDED:', ...listed];
    case 'not-kept':
      return ['NOT RECORDED:', ...listed];
  }
}

function contactWords(contact: ContactFigures, simulated: boolean): string {
  const told = (word: string): string => (simulated && word === 'proven' ? 'seen, emulated' : word);
  const { name, kind, isolates_alone, read_back, without_power, hardware_lease } = contact;
  const { compared, contradicted } = read_back;
  const lease =
    hardware_lease === null
      ? ''
      : `; hardware lease of ${hardware_lease.lease_ms} ms: ran out after ${hardware_lease.ran_out_after_ms?.toFixed(0) ?? 'an unknown number of'} ms, renewal ${told(hardware_lease.renewal)}, ended by isolate ${told(hardware_lease.isolate_cancels)}`;
  return `${name} (${kind}): isolates alone ${told(isolates_alone)}; own word contradicted ${contradicted} of ${compared} times; without power ${without_power}${lease}`;
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
