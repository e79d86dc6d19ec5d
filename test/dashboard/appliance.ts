/** The real thing under an open page: emulated board, interlock, controller with its API, a vault, and the dashboard as built. */
import { existsSync, lstatSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { base32, codeOf, stepAt } from '../../src/interlock/rights/totp.ts';
import { build } from '../faults/build.ts';
import type { Child } from '../faults/child.ts';
import { eventually, LINK, Scenario } from '../faults/rig.ts';
import { builtDashboard } from './built.ts';

/** People whose one-time codes count, each with a secret. */
const APPROVERS = {
  ada: Buffer.from('12345678901234567890'),
  grace: Buffer.from('09876543210987654321'),
} as const;

/** What the controller says when nobody has an account. */
const ANNOUNCED = /open (\S+) and make the first one with the setup code (\S+)/;

export class Appliance {
  readonly scenario: Scenario;
  controller: Child;
  readonly url: string;
  readonly setupCode: string;

  private constructor(scenario: Scenario, controller: Child, url: string, setupCode: string) {
    this.scenario = scenario;
    this.controller = controller;
    this.url = url;
    this.setupCode = setupCode;
  }

  /** Everything running, the link proven isolated, nobody with an account, and so much to back up. */
  static async begin(megabytes: number): Promise<Appliance> {
    placePages();
    const scenario = await Scenario.begin({
      vault: true,
      limitUpload: 1_500,
      windows: daily(),
    });
    try {
      const people = Object.entries(APPROVERS).map(([name, secret]) => {
        const file = join(scenario.directory, `${name}.secret`);
        writeFileSync(file, `${base32(secret)}\n`, { mode: 0o600 });
        return `  ${name}: { secret_file: ${file} }\n`;
      });
      scenario.configure({ sources: `approvers:\n${people.join('')}` });
      scenario.fill(megabytes, 1_000_000);
      scenario.makeRepository();
      await scenario.interlock();
      const controller = await scenario.controller();
      const said = await eventually(`a setup code; ${controller.words()}`, () =>
        ANNOUNCED.exec(controller.stdout),
      );
      const [, url = '', code = ''] = said;
      return new Appliance(scenario, controller, `${url}/`, code);
    } catch (error) {
      await scenario.end();
      throw error;
    }
  }

  /** The code of this person now. A code counts once: who needs another waits for the next step. */
  codeOf(name: keyof typeof APPROVERS): string {
    return codeOf(APPROVERS[name], stepAt(Date.now()));
  }

  async restartController(): Promise<void> {
    this.controller = await this.scenario.controller();
  }
}

/** A window that opens half a day from now: the next one is never the one that a test waits for. */
const daily = (): string => `\
  daily:
    link: ${LINK}
    opens: "30 ${(new Date().getUTCHours() + 12) % 24} * * *"
    timezone: UTC
    lasts: 2h
    steps:
      - check: { repository: main }
`;

/** Puts the built dashboard where the compiled controller looks for it. */
function placePages(): void {
  const pages = builtDashboard();
  const place = join(dirname(build().main), 'dashboard');
  if (existsSync(place) && lstatSync(place).isSymbolicLink() && readlinkSync(place) === pages) return;
  const draft = `${place}.${process.pid}`;
  symlinkSync(pages, draft);
  renameSync(draft, place);
}
