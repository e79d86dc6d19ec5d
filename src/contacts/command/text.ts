import type { Row } from '../profile-text.ts';
import type { CommandProfile } from './profile.ts';

/** What a person needs to know of programs that move a contact before configuring them. */
export function commandRows(profile: CommandProfile): readonly Row[] {
  const { connect, isolate, read, debian_package: from } = profile;
  return [
    ...(from === undefined ? [] : [['package', `${from} (Debian)`] as const]),
    ...Object.entries(profile.parameters).map(
      ([name, { means }]) => ['parameter', `${name}: ${means}`] as const,
    ),
    ['connect', connect.argv.join(' ')],
    ['isolate', isolate.argv.join(' ')],
    ['read', read.argv.join(' ')],
  ];
}
