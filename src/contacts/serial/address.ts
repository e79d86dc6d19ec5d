import type { SerialProfile } from './profile.ts';

/** The address of a board whose configuration names none. */
const USUAL_ADDRESS = 1;

/** Why a card of this kind cannot have this address, or `null`. */
export function addressProblem(
  { addresses }: SerialProfile,
  address: number,
): { readonly what: string; readonly hint: string } | null {
  if (addresses === undefined) {
    if (address === USUAL_ADDRESS) return null;
    return {
      what: 'this board has no card address',
      hint: 'remove `unit`; a second board needs a bus of its own',
    };
  }
  if (address >= addresses.first && address <= addresses.last) return null;
  const what = `no card of this kind has the address ${address}`;
  return { what, hint: `addresses are ${addresses.first} to ${addresses.last}` };
}
