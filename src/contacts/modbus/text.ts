import type { Row } from '../profile-text.ts';
import type { ModbusProfile, ModbusTransport } from './profile.ts';
import { type CommunicationWatchdog, demandText } from './settings.ts';

/** What `profile show` says of a Modbus board besides what it says of any device. */
export function modbusRows(profile: ModbusProfile): readonly Row[] {
  const { serial, tcp_ports: ports, hardware_lease: lease, timings } = profile;
  const rows: Row[] = [
    ['transports', profile.transports.map((name) => transportText(name, ports)).join(', ')],
  ];
  if (serial !== undefined) {
    const parity = serial.parity.slice(0, 1).toUpperCase();
    rows.push(['serial', `${serial.baud} ${serial.data_bits}${parity}${serial.stop_bits}`]);
  }
  rows.push(
    ['unit', String(profile.unit)],
    ['channels', `1 to ${profile.channels}`],
    ['isolate', isolateText(profile)],
    ['isolate all', profile.isolate_all === undefined ? 'channel by channel' : 'one frame'],
    ['read-back', `${profile.read.reports} state`],
    ['inputs', profile.inputs === undefined ? 'none' : `1 to ${profile.inputs.quantity}`],
  );
  if (lease !== undefined) {
    const { renewal, isolate_cancels: cancels, connect_makes_permanent: permanent } = lease.evidence;
    const what = `renewal ${renewal}; isolate cancels it: ${cancels}; connect makes it permanent: ${permanent}`;
    rows.push(['lease evidence', what]);
  }
  rows.push(...watchdogRows(profile));
  for (const check of profile.startup_checks)
    rows.push(['start-up check', `${check.name}: ${demandText(check)}. ${check.danger}`]);
  rows.push([
    'timings',
    `reply ${timings.reply_timeout_ms} ms, gap ${timings.gap_ms} ms, settle ${timings.settle_ms} ms, latest reply ${timings.worst_reply_delay_ms} ms`,
  ]);
  return rows;
}

function isolateText({ isolate }: ModbusProfile): string {
  const frames = 1 + (isolate.function === 6 ? (isolate.followed_by?.length ?? 0) : 0);
  const words = frames === 1 ? 'one frame' : `${frames} frames, all written even where the board refuses one`;
  return isolate.read_back === true ? `${words}; then it must read isolated` : words;
}

const FACTORY_WORDS: Readonly<Record<CommunicationWatchdog['factory'], string>> = {
  armed: 'armed as it leaves the factory',
  'not-armed': 'not armed as it leaves the factory',
  'armed-without-effect': 'runs as it leaves the factory, but moves no contact',
  unknown: 'nobody knows whether it is armed as it leaves the factory',
};

/** What the device does by itself when nobody talks to it, and what that does not cover. */
function watchdogRows({ communication_watchdog: watchdog }: ModbusProfile): readonly Row[] {
  if (watchdog === undefined) return [['watchdog', 'none known: silence on the wire moves no contact']];
  const { range, verified_by: verifiedBy, after_trip: trip } = watchdog;
  const time =
    range === undefined ? 'some time' : `${range.min * range.unit_ms} to ${range.max * range.unit_ms} ms`;
  const fedBy =
    watchdog.fed_by === 'any-traffic'
      ? 'Any request feeds it, our own readings included'
      : 'Only writes feed it';
  const verified =
    verifiedBy.length === 0
      ? 'Nothing that can be read shows whether it is armed: try it, by pulling the cable while connected'
      : `Read back before every lease: ${verifiedBy.join(', ')}`;
  return [
    [
      'watchdog',
      `isolates when nothing reaches it for ${time} (${watchdog.isolates}); ${FACTORY_WORDS[watchdog.factory]}`,
    ],
    [
      '',
      `${fedBy}: it covers the death of this program, of its host and of the cable. It is no hardware lease: a lease that is not renewed does not stop it being fed`,
    ],
    ['', `${verified}. To arm it: ${watchdog.set_by}`],
    ['', `After it has isolated (${trip.recovery}): ${trip.how}`],
  ];
}

const transportText = (name: ModbusTransport, ports: ModbusProfile['tcp_ports']): string => {
  const port = name === 'modbus-rtu' ? undefined : ports?.[name];
  return port === undefined ? name : `${name} (port ${port})`;
};
