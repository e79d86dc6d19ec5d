/** Frames of one board that a board could take for each other. Pure. */
import type { Finding } from '../profile-finding.ts';
import { spelled } from './frame.ts';
import type { Frames, SerialAsk } from './frames.ts';

/** One frame of a board and what it is for. */
interface Named {
  readonly path: readonly (string | number)[];
  readonly name: string;
  readonly bytes: Buffer;
}

/** Most clashes that are told; one mistake makes many. */
const MAX_TOLD = 4;

/** Every two frames of which one is the beginning of the other although they mean different things. */
export function clashFindings(frames: Frames): readonly Finding[] {
  const named = framesOf(frames);
  const findings: Finding[] = [];
  named.forEach((one, index) => {
    for (const other of named.slice(0, index)) {
      const [short, long] = one.bytes.length < other.bytes.length ? [one, other] : [other, one];
      if (!long.bytes.subarray(0, short.bytes.length).equals(short.bytes)) continue;
      findings.push({
        path: one.path,
        what: `${one.name} (${spelled(one.bytes)}) and ${other.name} (${spelled(other.bytes)}) begin alike: the board cannot tell them apart`,
        hint: 'every channel and command has a frame of its own',
      });
    }
  });
  return findings.slice(0, MAX_TOLD);
}

function framesOf(frames: Frames): readonly Named[] {
  const { profile } = frames;
  const address = profile.addresses?.first ?? null;
  const list: Named[] = [];
  const add = (path: Named['path'], name: string, ask: SerialAsk): void => {
    if (frames.asked(ask) === null) return;
    list.push({ path, name, bytes: frames.request(ask, address) });
  };
  for (let channel = 1; channel <= profile.channels; channel += 1) {
    add(['connect', 'send'], `connect ${channel}`, { ask: 'connect', channel });
    add(['isolate', 'send'], `isolate ${channel}`, { ask: 'isolate', channel });
    const { hardware_lease: lease } = profile;
    if (lease !== undefined) {
      const leaseAsk: SerialAsk = { ask: 'lease', channel, lease_ms: lease.min * lease.unit_ms };
      add(['hardware_lease', 'send'], `lease ${channel}`, leaseAsk);
    }
    if (frames.readsOneChannel) add(['read', 'send'], `read ${channel}`, { ask: 'read', channel });
  }
  if (!frames.readsOneChannel) add(['read', 'send'], 'read', { ask: 'read' });
  add(['isolate_all', 'send'], 'isolate all', { ask: 'isolate-all' });
  profile.startup_checks.forEach(({ name }, index) =>
    add(['startup_checks', index, 'send'], name, { ask: 'startup-check', check: name }),
  );
  return list;
}
