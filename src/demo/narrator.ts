/** What the demo tells: sentences for a person, or JSON lines for a program. */
import { proofWords } from '../command/ask.ts';
import { say } from '../command/exit.ts';
import type { WindowReport } from '../controller/report.ts';
import type { CommissioningLine } from '../protocol/commissioning.ts';
import type { LampsStatus } from '../protocol/lamps.ts';
import type { EventLine, LinkStatus, Status } from '../protocol/messages.ts';
import type { Stage } from './stage.ts';

/** Tells on standard output, in words or as JSON lines. */
export class Narrator {
  readonly #json: boolean;
  readonly #bold: (text: string) => string;
  #lastState: LinkStatus['state'] = 'isolated';
  #lastLamps = '';

  constructor(json: boolean, terminal: boolean) {
    this.#json = json;
    this.#bold = terminal ? (text) => `\u001b[1m${text}\u001b[0m` : (text) => text;
  }

  step(what: string, data: object): void {
    this.#tell(what, { event: 'step', what, ...data });
  }

  staged(stage: Stage, status: Status): void {
    const [link] = status.links;
    const where = stage.vaultOutOfReach
      ? 'the vault is in a network namespace of its own: no path leads to it but the emulated cable'
      : 'the kernel forbids network namespaces here, so the vault listens on loopback behind the emulated cable';
    this.#tell(
      [
        this.#bold('Portcullis demo: an EMULATED relay board, a real driver, a real restic repository.'),
        `  ${where}`,
        `  configuration  ${stage.configFile}`,
        `  vault          ${link === undefined ? 'unknown' : `${link.state}, ${proofWords(link)}`}`,
      ].join('\n'),
      { event: 'staged', config: stage.configFile, vault_out_of_reach: stage.vaultOutOfReach },
    );
  }

  /** Every step of the commissioning, as it ends. */
  commissioning(line: CommissioningLine): void {
    if (line.event === 'begun')
      return this.#tell(
        `${clock()}  commissioning: a link that was not proven is not connected (on real boards you lend a hand)`,
        line,
      );
    if (line.event === 'result') {
      const verdict = line.verdict === 'passed' ? 'passed: ' : line.verdict === 'failed' ? 'FAILED: ' : '';
      return this.#tell(`${clock()}    ${line.step.padEnd(15)} ${verdict}${line.says}`, line);
    }
    if (line.event !== 'over') return undefined;
    const words = line.verdict === 'passed' ? 'passed, signed and recorded' : line.verdict;
    return this.#tell(`${clock()}  ${this.#bold(`commissioning ${words}`)}`, line);
  }

  reach(when: string, reachable: boolean): void {
    const words = reachable ? 'answers' : 'does not answer: reads and writes fail';
    this.#tell(`${clock()}  vault ${when}: ${words}`, { event: 'reach', when, reachable });
  }

  event(line: Exclude<EventLine, { event: 'hello' | 'alive' }>): void {
    switch (line.event) {
      case 'window-opened':
        return this.#tell(
          `${clock()}  window ${line.window} opened, ends in ${Math.round(line.ends_in_ms / 1_000)} s at the latest`,
          line,
        );
      case 'window-closed':
        return this.#tell(`${clock()}  window ${line.window} is over: ${line.why}`, line);
      case 'link': {
        // Links are announced whenever a refusal comes or goes; a person wants to see where they stand.
        if (this.#lastState === line.link.state) return undefined;
        this.#lastState = line.link.state;
        return this.#tell(
          `${clock()}  ${this.#bold(line.link.state.toUpperCase().padEnd(10))} ${linkWords(line.link)}`,
          line,
        );
      }
      case 'tripped':
        return this.#tell(`${clock()}  tripped by ${line.trip.by}: ${line.trip.reason}`, line);
      case 'session-began': {
        const { by, reason } = line.session;
        this.#tell(`${clock()}  attended session of ${by} on ${line.link}: ${reason}`, line);
        return;
      }
      case 'session-ended':
        this.#tell(`${clock()}  attended session on ${line.link} is over: ${line.why}`, line);
        return;
      case 'alarm':
        return this.#tell(`${clock()}  ALARM ${line.link}: ${line.why}; ${line.hint}`, line);
    }
  }

  /** What the lamps of the box show, when that is news. */
  lamps({ lamps, test_ends_in_ms: test }: LampsStatus): void {
    const shown = lamps.map(({ lamp, shows }) => `${lamp} ${shows}`).join(', ');
    const words = test === null ? shown : 'all lit: lamp test';
    if (words === this.#lastLamps) return;
    this.#lastLamps = words;
    this.#tell(`${clock()}  lamps: ${words}`, { event: 'lamps', test: test !== null, lamps });
  }

  report(report: WindowReport): void {
    const steps = report.steps.map(
      ({ step, outcome, took_ms, snapshot, bytes }) =>
        `  ${step.padEnd(8)} ${outcome.kind} in ${(took_ms / 1_000).toFixed(1)} s` +
        `${snapshot === undefined ? '' : `, snapshot ${snapshot.slice(0, 8)}`}${bytes === undefined ? '' : `, ${Math.round(bytes / 1e6)} MB`}`,
    );
    const proof = report.isolation_proven ? 'isolation proven' : 'ISOLATION NOT PROVEN';
    this.#tell(
      [
        `${clock()}  ${this.#bold(`window ${report.outcome}`)}: exposed for ${report.exposure_seconds.toFixed(1)} s, ${proof}`,
        ...steps,
        ...(report.why === null ? [] : [`  ${report.why.why}; ${report.why.hint ?? ''}`]),
      ].join('\n'),
      { event: 'report', report },
    );
  }

  waiting(
    { configFile, token, tripPort }: Stage,
    dashboard: { readonly url: string; readonly code: string } | null,
  ): void {
    const commands = [
      `curl -X POST http://127.0.0.1:${tripPort}/trip/demo -H 'Authorization: Bearer ${token}' -d '{"reason":"trying it"}'`,
      `bin/portcullis status --config ${configFile}`,
      `bin/portcullis window run every-three-minutes --config ${configFile}`,
      `bin/portcullis reset vault --reason 'looked into it' --config ${configFile}`,
      `bin/portcullis journal tail --config ${configFile}`,
      `bin/portcullis journal verify --config ${configFile}`,
    ];
    this.#tell(
      [
        '',
        this.#bold('Waiting for the next window (every three minutes). From another terminal:'),
        ...(dashboard === null
          ? []
          : [`  dashboard       ${dashboard.url}   (setup code for the first account: ${dashboard.code})`]),
        `  cut it          ${commands[0]}`,
        '  or by hand      type: press (and release) and Enter, here: the button of the emulated board',
        `  look at it      ${commands[1]}`,
        `  another window  ${commands[2]}`,
        `  reset the latch ${commands[3]}   (it names the cause; repeat with --cause)`,
        `  what happened   ${commands[4]}`,
        `  prove it        ${commands[5]}`,
        '  stop            Ctrl-C',
        '',
      ].join('\n'),
      { event: 'waiting', commands, dashboard },
    );
  }

  #tell(words: string, json: object): void {
    say(this.#json ? JSON.stringify(json) : words);
  }
}

const clock = (): string => new Date().toISOString().slice(11, 23);

function linkWords(link: LinkStatus): string {
  switch (link.state) {
    case 'isolated':
      return proofWords(link);
    case 'connecting':
    case 'connected':
      return `lease ends in ${Math.round((link.lease?.ends_in_ms ?? 0) / 1_000)} s at the latest`;
    case 'tripped':
      return `latched by ${link.latch?.by ?? 'unknown'}: ${link.latch?.reason ?? ''}; only a reset at the box lifts it`;
    case 'stuck':
      return 'told to isolate and still connected: pull the cable';
    case 'proving':
      return 'one contact isolates alone first: the proof test';
    case 'commissioning':
      return 'somebody at the box tries its contacts';
    case 'isolating':
    case 'unproven':
      return 'told to isolate, not proven yet';
  }
}
