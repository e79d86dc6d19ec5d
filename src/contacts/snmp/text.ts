import type { Row } from '../profile-text.ts';
import type { SnmpProfile } from './profile.ts';

/** What a person needs to know of a managed switch before configuring it. */
export function snmpRows(profile: SnmpProfile): readonly Row[] {
  const { object, connect, isolate, timings } = profile;
  const named = {
    interface: 'the name of an interface (ifName or ifDescr), such as GigabitEthernet1/0/1',
    'poe-port': 'group.port of the PoE table, such as 1.5',
  };
  return [
    ['port', named[profile.ports]],
    ['object', `${object}: ${connect} connects, ${isolate} isolates`],
    ['timings', `answers within ${timings.reply_timeout_ms} ms, settles in ${timings.settle_ms} ms`],
  ];
}
