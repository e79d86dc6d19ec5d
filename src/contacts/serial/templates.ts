/** Whether every frame of a serial profile can be read and built: notation, and which placeholder may stand where. Pure. */
import type { Finding } from '../profile-finding.ts';
import { buildFrame, type Numbers } from './frame.ts';
import { channelNumbers } from './frames.ts';
import type { SerialProfile } from './profile.ts';
import { holds, perChannel, readTemplate, type Template } from './template.ts';

type Path = readonly (string | number)[];
type Placeholder = Parameters<typeof holds>[1];

/** What may stand in a frame, and what must. */
interface Rules {
  readonly path: Path;
  readonly text: string;
  readonly may: readonly Placeholder[];
  readonly must?: readonly Placeholder[];
  /** Must the frame differ from channel to channel? `null`: as it likes. */
  readonly channel: boolean | null;
}

const CHANNEL: readonly Placeholder[] = ['channel', 'channel0', 'bit'];
const ALWAYS: readonly Placeholder[] = ['address', 'sum8', 'xor'];
const ALL: readonly Placeholder[] = [...CHANNEL, ...ALWAYS, 'lease', 'echo', 'state', 'value', 'any', 'gap'];

/** Everything that keeps a frame of the profile from being built. */
export function frameFindings(profile: SerialProfile): readonly Finding[] {
  return rulesOf(profile).flatMap((rules) => {
    const reading = readTemplate(rules.text, profile.speaks);
    if (reading.kind === 'problem') {
      const hint = `write ${profile.speaks === 'bytes' ? '"A0 {channel} 01 {sum8}"' : '"relay on {channel0}{cr}"'}`;
      return [{ path: rules.path, what: reading.what, hint }];
    }
    const wrong = placementFindings(reading.template, rules, profile);
    return wrong.length > 0 ? wrong : numberFindings(reading.template, rules, profile);
  });
}

function rulesOf(profile: SerialProfile): readonly Rules[] {
  const rules: Rules[] = [];
  const many = profile.channels > 1 && profile.unsuitable === undefined;
  const reply = (path: Path, text: string | undefined, more: readonly Placeholder[] = []): void => {
    if (text === undefined) return;
    rules.push({
      path,
      text,
      may: [...CHANNEL, ...ALWAYS, 'echo', 'any', 'gap', ...more],
      must: more,
      channel: null,
    });
  };
  for (const key of ['connect', 'isolate', 'isolate_all', 'hardware_lease'] as const) {
    const command = profile[key];
    if (command === undefined) continue;
    const all = key === 'isolate_all';
    const lease: readonly Placeholder[] = key === 'hardware_lease' ? ['lease'] : [];
    const may = [...(all ? [] : CHANNEL), ...ALWAYS, ...lease];
    rules.push({ path: [key, 'send'], text: command.send, may, must: lease, channel: all ? false : many });
    reply([key, 'reply'], command.reply);
    reply([key, 'refused'], command.refused);
  }
  const { read } = profile;
  if (read !== undefined) {
    const one = read.state.form === 'word';
    rules.push({
      path: ['read', 'send'],
      text: read.send,
      may: [...(one ? CHANNEL : []), ...ALWAYS],
      channel: one && many,
    });
    reply(['read', 'reply'], read.reply, ['state']);
    if (read.state.form === 'word' || read.state.form === 'words') {
      for (const key of ['connected', 'isolated'] as const)
        rules.push({ path: ['read', 'state', key], text: read.state[key], may: [], channel: false });
    }
  }
  profile.startup_checks.forEach((check, index) => {
    const path = ['startup_checks', index];
    rules.push({ path: [...path, 'send'], text: check.send, may: ALWAYS, channel: false });
    reply([...path, 'reply'], check.reply, ['value']);
    rules.push({ path: [...path, 'must_be'], text: check.must_be, may: [], channel: false });
  });
  profile.initialise.forEach((step, index) => {
    rules.push({ path: ['initialise', index, 'send'], text: step.send, may: ALWAYS, channel: false });
  });
  return rules;
}

function placementFindings(template: Template, rules: Rules, profile: SerialProfile): readonly Finding[] {
  const findings: Finding[] = [];
  const found = (what: string, hint: string): void => {
    findings.push({ path: rules.path, what, hint });
  };
  for (const name of ALL) {
    if (holds(template, name) && !rules.may.includes(name)) found(`{${name}} cannot stand here`, 'remove it');
  }
  for (const name of rules.must ?? []) {
    const times = template.parts.filter(
      (part) => part.kind === name || ('name' in part && part.name === name),
    );
    if (times.length !== 1) found(`{${name}} must stand here once`, 'put it where the manual has it');
  }
  if (holds(template, 'address') && profile.addresses === undefined)
    found('{address} in a board without addresses', 'add addresses: { first, last }');
  if (rules.channel === true && !perChannel(template))
    found('the frame is the same for every channel', 'use {channel}, {channel0} or {bit}');
  if (template.parts.at(-1)?.kind === 'gap')
    found('nobody can tell when a {gap} at the end is over', 'end with what follows it');
  const first = template.parts[0];
  if (first?.kind === 'checksum') found('a checksum over nothing', 'it covers the bytes before it');
  return findings;
}

/** Builds the frame for every channel and the ends of every range. */
function numberFindings(template: Template, { path }: Rules, profile: SerialProfile): readonly Finding[] {
  const { addresses, hardware_lease: lease, channels } = profile;
  const some = Buffer.alloc(1);
  for (let channel = 1; channel <= channels; channel += 1) {
    for (const address of addresses === undefined ? [0] : [addresses.first, addresses.last]) {
      for (const field of lease === undefined ? [0] : [lease.min, lease.max]) {
        const numbers: Numbers = { ...channelNumbers(channel), address, lease: field };
        try {
          buildFrame(template, numbers, { request: some, state: some, value: some });
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          const what = `channel ${channel}: ${error.message}`;
          return [
            { path, what, hint: 'a number among bytes is 0 to 255; correct channels, range or constant' },
          ];
        }
      }
    }
  }
  return [];
}
