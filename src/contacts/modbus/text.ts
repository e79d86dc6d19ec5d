import type { Row } from '../profile-text.ts';
import type { ModbusProfile, ModbusTransport } from './profile.ts';

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
    ['isolate all', profile.isolate_all === undefined ? 'channel by channel' : 'one frame'],
    ['read-back', `${profile.read.reports} state`],
    ['inputs', profile.inputs === undefined ? 'none' : `1 to ${profile.inputs.quantity}`],
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

const transportText = (name: ModbusTransport, ports: ModbusProfile['tcp_ports']): string => {
  const port = name === 'modbus-rtu' ? undefined : ports?.[name];
  return port === undefined ? name : `${name} (port ${port})`;
};
