/** What a profile may say wrongly about settings that are read back, and about a communication watchdog. Pure. */
import type { Finding } from '../profile-finding.ts';
import type { ModbusProfile } from './profile.ts';
import type { CommunicationWatchdog, StartupCheck } from './settings.ts';

/** ms that may pass between two requests to a board that we are reading: one slow round and the pause after it. */
const LONGEST_SILENCE_MS = 3_000;

/** Everything wrong with the start-up checks themselves. */
export function checkFindings({ startup_checks: checks }: ModbusProfile): readonly Finding[] {
  return checks.flatMap((check, index) => [
    ...(checks.findIndex(({ name }) => name === check.name) === index
      ? []
      : [
          {
            path: ['startup_checks', index, 'name'],
            what: `${check.name} is the name of an earlier check`,
            hint: 'choose another',
          },
        ]),
    ...demandFindings(check, index),
  ]);
}

function demandFindings(check: StartupCheck, index: number): readonly Finding[] {
  const path = ['startup_checks', index];
  const between = 'between' in check ? check.between : undefined;
  const demands = [check.every, check.holds, between].filter((demand) => demand !== undefined);
  if (demands.length !== 1) {
    const what = `${check.name} demands ${demands.length === 0 ? 'nothing' : 'several things at once'}`;
    return [{ path, what, hint: 'write exactly one of every, holds, between' }];
  }
  if (check.holds !== undefined && check.holds.length !== check.quantity) {
    const what = `${check.quantity} values are read, but ${check.holds.length} are named`;
    return [{ path: [...path, 'holds'], what, hint: 'name what each of them must hold' }];
  }
  if (between !== undefined && (between.least > between.usual || between.usual > between.most)) {
    const what = `${between.least}, ${between.usual}, ${between.most} do not rise`;
    return [{ path: [...path, 'between'], what, hint: 'least, then usual, then most' }];
  }
  return [];
}

/** Everything wrong with what is said of the communication watchdog. */
export function watchdogFindings(profile: ModbusProfile): readonly Finding[] {
  const watchdog = profile.communication_watchdog;
  if (watchdog === undefined) return [];
  const { range, verified_by: verifiedBy, time_check: timeCheck, fed_by: fedBy } = watchdog;
  const at = (...path: readonly (string | number)[]): readonly (string | number)[] => [
    'communication_watchdog',
    ...path,
  ];
  const known = new Set(profile.startup_checks.map(({ name }) => name));
  const findings: Finding[] = verifiedBy.flatMap((name, index) =>
    known.has(name)
      ? []
      : [{ path: at('verified_by', index), what: `there is no start-up check ${name}`, hint: 'add it' }],
  );
  if (range !== undefined && range.min > range.max) {
    const what = `min ${range.min} exceeds max ${range.max}`;
    findings.push({ path: at('range', 'min'), what, hint: 'correct the range' });
  }
  if (fedBy === 'writes') {
    findings.push({
      path: at('fed_by'),
      what: 'nothing is written to a contact that stays connected, so this watchdog would cut every backup',
      hint: 'demand by a start-up check that any traffic feeds it, or leave it unarmed and out of the profile',
    });
  }
  if (timeCheck !== undefined && !verifiedBy.includes(timeCheck)) {
    findings.push({
      path: at('time_check'),
      what: `${timeCheck} is not among verified_by`,
      hint: 'name it there, too',
    });
  }
  const check = profile.startup_checks.find(({ name }) => name === timeCheck);
  if (check === undefined) return findings;
  if (range === undefined) {
    const what = 'its time is read back, but what it can be is missing';
    return [...findings, { path: at('range'), what, hint: 'add unit_ms, min and max from the manual' }];
  }
  return [...findings, ...timeFindings(check, range)];
}

function timeFindings(
  check: StartupCheck,
  { unit_ms: unitMs, min, max }: NonNullable<CommunicationWatchdog['range']>,
): readonly Finding[] {
  const path = ['communication_watchdog', 'time_check'];
  const between = 'between' in check ? check.between : undefined;
  const least = between?.least ?? check.every ?? 0;
  const most = between?.most ?? check.every ?? 0;
  const findings: Finding[] = [];
  if (least < min || most > max) {
    const what = `${check.name} allows ${least} to ${most}, the device counts ${min} to ${max}`;
    findings.push({ path, what, hint: 'narrow the check' });
  }
  if (least * unitMs < LONGEST_SILENCE_MS) {
    const what = `${least * unitMs} ms may pass between two readings of a board that is well`;
    findings.push({ path, what, hint: `demand ${LONGEST_SILENCE_MS} ms or more` });
  }
  return findings;
}
