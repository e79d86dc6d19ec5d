/** The symbols (after IEC 60617) as SVG, drawn upright around their middle. One square of the grid is 10 px. */
import type { Part } from './sheet.ts';

const stroke = (d: string, more = ''): string => `<path d="${d}"${more}/>`;

/** The two leads of an upright symbol, from its ends to ±`gap` px. */
const leads = (above: number, below = above): string => stroke(`M0-30V${-above}M0 30V${below}`);

const BLADE_NO = 'M0 12L-12-14';
const BLADE_NC = 'M0 12L9-15';
const FIXED_NC = 'M0-12H12';

/** What a part other than a box looks like. */
export function symbol(kind: Exclude<Part['kind'], 'box'>): string {
  switch (kind) {
    case 'fuse':
      return `${stroke('M0-30V30')}<rect x="-6" y="-15" width="12" height="30" fill="none"/>`;
    case 'resistor':
      return `${leads(15)}<rect x="-6" y="-15" width="12" height="30"/>`;
    case 'ntc':
      return `${leads(15)}<rect x="-6" y="-15" width="12" height="30"/>${stroke('M-15 17V11L13-17')}`;
    case 'coil':
      return `${leads(10)}<rect x="-18" y="-10" width="36" height="20"/>`;
    case 'diode':
      return `${stroke('M0-30V30M-9-9H9')}<path d="M0-8L-9 9H9Z" class="solid"/>`;
    case 'zener':
      return `${stroke('M0-30V30M-9-4V-9H9V-13')}<path d="M0-8L-9 9H9Z" class="solid"/>`;
    case 'capacitor':
      return `${leads(4)}${stroke('M-13-4H13M-13 4H13')}`;
    case 'contact-no':
      return leads(12) + stroke(BLADE_NO);
    case 'contact-nc':
      return leads(12) + stroke(FIXED_NC) + stroke(BLADE_NC);
    case 'mushroom-nc':
      return (
        leads(12) +
        stroke(FIXED_NC) +
        stroke(BLADE_NC) +
        stroke('M4-1H-24', ' class="linkage"') +
        // The mushroom, and the notch of its latch.
        '<path d="M-24-11C-36-9-36 7-24 9Z" class="button"/>' +
        stroke('M-17-1l3 5 3-5')
      );
    case 'key-no':
      return (
        leads(12) +
        stroke(BLADE_NO) +
        stroke('M-6-1H-22', ' class="linkage"') +
        '<circle cx="-28" cy="-1" r="6"/>' +
        stroke('M-28 5V13M-28 9h4')
      );
    case 'nmos':
      return (
        '<circle cx="-4" cy="0" r="17"/>' +
        stroke('M-30 0H-14M-14-10V10M-8-13V-6M-8-3V3M-8 6V13M-8-10H0V-30M-8 10H0V30M0 10V0H-8') +
        '<path d="M-7 0l6-3v6Z" class="solid"/>'
      );
  }
}
