/** A drawing as a circuit: what is joined with what while certain coils, buttons and transistors act. */
import { pinsOf, wiresOf, type Part, type Point, type Sheet, type Wire } from './sheet.ts';

/** True when `point` lies on the wire. */
export const lies = (point: Point, wire: Wire): boolean =>
  wire.points.some((end, index) => {
    const start = wire.points[index - 1] ?? end;
    return (
      point[0] >= Math.min(start[0], end[0]) &&
      point[0] <= Math.max(start[0], end[0]) &&
      point[1] >= Math.min(start[1], end[1]) &&
      point[1] <= Math.max(start[1], end[1])
    );
  });

/** The ends of the wires. Where one lies on another wire they are joined; wires that merely cross are not. */
export const endsOf = (wire: Wire): readonly Point[] =>
  [wire.points.at(0), wire.points.at(-1)].filter((point) => point !== undefined);

/**
 * What acts: ids of coils that hold, of buttons and keys that are pressed or turned, of transistors that are driven,
 * `BOX.CONTACT` for contacts inside a box, ids of fuses that are blown. `welded`: ids of contacts that stay joined; the other
 * contacts of the same relay stay where they are with them, for the relays of these drawings are forcibly guided.
 * `broken`: numbers of wires that are cut.
 */
export interface Acting {
  readonly acting: ReadonlySet<string>;
  readonly welded?: ReadonlySet<string>;
  readonly broken?: ReadonlySet<number>;
}

/** The pairs of pins that a part joins in this situation. */
function joins(
  part: Part,
  { acting, welded }: Acting,
  held: ReadonlySet<string>,
): readonly (readonly [string, string])[] {
  const through: readonly (readonly [string, string])[] = [[`${part.id}.1`, `${part.id}.2`]];
  switch (part.kind) {
    case 'contact-no':
    case 'key-no':
      return welded?.has(part.id) === true || acting.has(part.of ?? part.id) ? through : [];
    case 'contact-nc':
    case 'mushroom-nc':
      return held.has(part.of ?? part.id) ? [] : through;
    case 'fuse':
      return acting.has(part.id) ? [] : through;
    case 'ntc':
      return through;
    case 'nmos':
      return acting.has(part.id) ? [[`${part.id}.d`, `${part.id}.s`]] : [];
    case 'box':
      return Object.entries(part.contacts)
        .filter(([name]) => acting.has(`${part.id}.${name}`) || welded?.has(`${part.id}.${name}`) === true)
        .map(([, [one, other]]) => [`${part.id}.${one}`, `${part.id}.${other}`]);
    case 'coil':
    case 'capacitor':
    case 'diode':
    case 'zener':
    case 'resistor':
      return [];
  }
}

/** What is joined by wire alone: pairs of a wire's name and of the pin or wire that touches it. Worked out once per sheet. */
function touches(
  sheet: Sheet,
  pins: ReadonlyMap<string, Point>,
): readonly (readonly [number, string | number])[] {
  const wires = wiresOf(sheet);
  return wires.flatMap((wire, index) => [
    ...[...pins].filter(([, at]) => lies(at, wire)).map(([name]) => [index, name] as const),
    ...wires.flatMap((next, further) =>
      further !== index && endsOf(wire).some((end) => lies(end, next)) ? [[index, further] as const] : [],
    ),
  ]);
}

/** Says whether two pins (`PART.PIN`) are joined in a situation. */
export function circuitOf(sheet: Sheet): (one: string, other: string, situation: Acting) => boolean {
  const pins = new Map<string, Point>(
    sheet.parts.flatMap((part) => [...pinsOf(part)].map(([name, at]) => [`${part.id}.${name}`, at] as const)),
  );
  const touching = touches(sheet, pins);
  return (one, other, situation) => {
    for (const name of [one, other]) if (!pins.has(name)) throw new Error(`there is no pin ${name}`);
    const groups = new Map<string | number, string | number>();
    const group = (name: string | number): string | number => {
      let top = name;
      for (let above = groups.get(top); above !== undefined; above = groups.get(top)) top = above;
      return top;
    };
    const join = (a: string | number, b: string | number): void => {
      if (group(a) !== group(b)) groups.set(group(a), group(b));
    };
    const isBroken = (end: string | number): boolean =>
      typeof end === 'number' && situation.broken?.has(end) === true;
    for (const [wire, end] of touching) if (!isBroken(wire) && !isBroken(end)) join(wire, end);
    const held = new Set(situation.acting);
    for (const part of sheet.parts)
      if ('of' in part && situation.welded?.has(part.id) === true) held.add(part.of);
    for (const part of sheet.parts) for (const [a, b] of joins(part, situation, held)) join(a, b);
    return group(one) === group(other);
  };
}
