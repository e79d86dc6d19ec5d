import type { Row } from '../profile-text.ts';
import type { SerialProfile } from './profile.ts';

const CONFIRMED: Readonly<Record<SerialProfile['confirmed_by'], string>> = {
  reply: 'by its reply',
  'read-back': 'by reading the state after it',
  nothing: 'by nothing: the board never answers, a witness is mandatory',
};

/** What `profile show` says of a serial board besides what it says of any device. */
export function serialRows(profile: SerialProfile): readonly Row[] {
  const { serial, tcp_port: port, addresses, hardware_lease: lease, timings, read } = profile;
  const rows: Row[] = [];
  if (serial !== undefined) {
    const parity = serial.parity.slice(0, 1).toUpperCase();
    const lines = profile.control_lines === 'released' ? '; DTR and RTS let go' : '';
    rows.push(['serial', `${serial.baud} ${serial.data_bits}${parity}${serial.stop_bits}${lines}`]);
  }
  if (port !== undefined) rows.push(['tcp port', String(port)]);
  if (addresses !== undefined) rows.push(['unit', `${addresses.first} to ${addresses.last}`]);
  rows.push(
    ['channels', `1 to ${profile.channels}`],
    ['connect', profile.connect.send],
    ['isolate', profile.isolate.send],
    ['isolate all', profile.isolate_all?.send ?? 'channel by channel'],
    ['confirmed', CONFIRMED[profile.confirmed_by]],
    ['read-back', read === undefined ? 'none: the board cannot be read' : `${read.reports} state`],
  );
  if (lease !== undefined) {
    const { renewal, isolate_cancels: cancels, connect_makes_permanent: permanent } = lease.evidence;
    const what = `renewal ${renewal}; isolate cancels it: ${cancels}; connect makes it permanent: ${permanent}`;
    rows.push(['lease evidence', what]);
  }
  for (const check of profile.startup_checks) rows.push(['start-up check', `${check.name}: ${check.danger}`]);
  rows.push([
    'timings',
    `reply ${timings.reply_timeout_ms} ms, gap ${timings.gap_ms} ms, settle ${timings.settle_ms} ms, latest reply ${timings.worst_reply_delay_ms} ms`,
  ]);
  return rows;
}
