import type { Row } from '../profile-text.ts';
import type { GpioProfile } from './profile.ts';

const SUPPLY = {
  none: 'nothing but the pin',
  controller: 'a supply that dies with the controller',
  coil: 'the supply of the coil',
  unknown: 'nobody knows what',
} as const;
const COIL = {
  controller: 'from the controller',
  separate: 'from a supply of its own',
  either: 'from the controller or a supply of its own',
} as const;

/** What people want to know of a GPIO board besides what every profile says. */
export function gpioRows(profile: GpioProfile): readonly Row[] {
  const { active, lines, input_pull: pull, coil_supply: coil, contact_rating: rating } = profile;
  return [
    [
      'pin',
      `${active} energises; undriven: pull ${pull}; the input is fed by ${SUPPLY[profile.input_supply]}`,
    ],
    ['lines', lines === undefined ? 'any' : lines.join(', ')],
    ['coil', `${coil.volts} V ${COIL[coil.from]}`],
    ...(rating === undefined ? [] : [['switches', rating] as const]),
    ['read-back', 'the level of the pin, not where the contact is'],
    ['timings', `settle ${profile.settle_ms} ms`],
  ];
}
