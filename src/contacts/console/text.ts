import type { Row } from '../profile-text.ts';
import type { ConsoleProfile } from './profile.ts';

/** What a person needs to know of a switch before its console is configured. */
export function consoleRows(profile: ConsoleProfile): readonly Row[] {
  const { serial, ports, timings, stored, dead_man: deadMan } = profile;
  const way = [profile.configure, profile.interface].filter((line) => line !== undefined);
  const lines = (what: 'isolate' | 'connect'): string => [...way, ...profile[what]].join(' | ');
  return [
    ['port', `named in full, like ${ports.join(' or ')}`],
    ...(serial === undefined
      ? []
      : [
          [
            'serial line',
            `${serial.baud} baud, ${serial.data_bits} data bits, parity ${serial.parity}, ${serial.stop_bits} stop bits`,
          ] as const,
        ]),
    ['connects', lines('connect')],
    ['isolates', lines('isolate')],
    [
      'restart',
      profile.persistence === 'running'
        ? 'undoes every change that nobody saved'
        : 'undoes nothing: every change is stored',
    ],
    ['stored state', stored === undefined ? 'cannot be checked here' : `checked with ${stored.command}`],
    ...(deadMan === undefined
      ? []
      : [['dead man', `not used (${deadMan.certainty}): ${deadMan.how}`] as const]),
    ['timings', `answers within ${timings.reply_timeout_ms} ms, settles in ${timings.settle_ms} ms`],
  ];
}
