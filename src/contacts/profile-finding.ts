/** One thing that is wrong with a profile whose shape is right. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
}

/** What any profile may say wrongly, whatever its driver. */
export function positionFindings(profile: {
  readonly contact: 'fail-safe' | 'holding';
  readonly without_power: string;
  readonly power_on: { readonly position: string };
  readonly dangers: readonly string[];
}): readonly Finding[] {
  const findings: Finding[] = [];
  if (profile.contact === 'fail-safe' && profile.without_power !== 'isolated') {
    findings.push({
      path: ['contact'],
      what: `a fail-safe contact is isolated without power, but without_power says ${profile.without_power}`,
      hint: 'call it holding, or correct without_power',
    });
  }
  if (profile.power_on.position === 'connected' && profile.dangers.length === 0) {
    findings.push({
      path: ['dangers'],
      what: 'the board connects when power returns and no danger says so',
      hint: 'say it in dangers',
    });
  }
  return findings;
}
