/** What a GPIO profile of the right shape may still say wrongly. Pure. */
import type { Finding } from '../profile-finding.ts';
import { opposite } from './lines.ts';
import { connectedLevel, type GpioProfile } from './profile.ts';

/** Everything in a GPIO profile that contradicts itself, or calls fail-safe what is not. */
export function gpioFindings(profile: GpioProfile): readonly Finding[] {
  return [
    ...failSafeFindings(profile),
    ...lineFindings(profile),
    ...exampleFindings(profile),
    ...coverageFindings(profile),
  ];
}

function failSafeFindings(profile: GpioProfile): readonly Finding[] {
  if (profile.contact !== 'fail-safe') return [];
  const findings: Finding[] = [];
  if (profile.active === 'low' && profile.input_supply !== 'controller') {
    findings.push({
      path: ['contact'],
      what: `an active-low input fed by "${profile.input_supply}" energises the relay when the controller has no power and its pins are at 0 V`,
      hint: 'call it holding; it is fail-safe only where the input is fed by the controller (input_supply: controller)',
    });
  }
  const energising = profile.active === 'high' ? 'up' : 'down';
  if (profile.input_pull === energising) {
    findings.push({
      path: ['input_pull'],
      what: `the board pulls its input ${energising}, which energises the relay while nobody drives the pin`,
      hint: 'call it holding, or correct input_pull',
    });
  }
  return findings;
}

function lineFindings({ lines = [] }: GpioProfile): readonly Finding[] {
  return lines.flatMap((line, index) =>
    lines.indexOf(line) === index
      ? []
      : [{ path: ['lines', index], what: `line ${line} is named twice`, hint: 'remove one' }],
  );
}

function exampleFindings(profile: GpioProfile): readonly Finding[] {
  const connected = connectedLevel(profile);
  return profile.examples.flatMap((example, index): readonly Finding[] => {
    const wanted =
      example.ask === 'connect' || (example.ask === 'read' && example.means === 'connected')
        ? connected
        : opposite(connected);
    if (example.level === wanted) return [];
    return [
      {
        path: ['examples', index, 'level'],
        what: `an active-${profile.active} board has level ${wanted} here`,
        hint: 'one of the two is wrong; check `active` against the manual',
      },
    ];
  });
}

function coverageFindings({ examples }: GpioProfile): readonly Finding[] {
  const missing = [
    examples.some(({ ask }) => ask === 'connect') ? [] : ['connect'],
    examples.some(({ ask }) => ask === 'isolate') ? [] : ['isolate'],
    ...(['connected', 'isolated'] as const).map((means) =>
      examples.some((example) => example.ask === 'read' && example.means === means)
        ? []
        : [`read that means ${means}`],
    ),
  ].flat();
  return missing.map((what) => ({
    path: ['examples'],
    what: `missing: an example of ${what}`,
    hint: 'add the level of the pin',
  }));
}
