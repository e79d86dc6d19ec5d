/** Finds the index of an interface by its name. Indexes move when an agent restarts; names stay. */
import { asked, type Reply, type Request } from './pdu.ts';
import { OBJECT } from './objects.ts';

/** Asks the agent and waits for its clean answer; rejects with an Error that says why there is none. */
export type Ask = (request: Request) => Promise<Reply>;

/** Where an interface was found, or why not. `nameObject`: what bears its name, to be asked again with every reading. */
export type Found =
  | { readonly kind: 'found'; readonly index: string; readonly nameObject: string }
  | { readonly kind: 'missing'; readonly why: string };

/** Most interfaces that are looked through. */
export const MAX_INTERFACES = 8192;
/** Interfaces asked for at a time: their names fit into one datagram of 1,400 bytes. */
const REPETITIONS = 24;
const MAX_LISTED = 8;
const MAX_NAME = 24;

interface Column {
  readonly indexes: ReadonlyMap<string, readonly string[]>;
  readonly names: readonly string[];
}

/** Finds each of `names`, first as ifName, then as ifDescr. A name that several interfaces bear is not found. */
export async function findInterfaces(
  names: ReadonlySet<string>,
  ask: Ask,
): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>();
  let seen: readonly string[] = [];
  for (const object of [OBJECT.ifName, OBJECT.ifDescr]) {
    const open = [...names].filter((name) => found.get(name)?.kind !== 'found');
    if (open.length === 0) break;
    const column = await walk(object, ask);
    if (column.names.length > 0 && seen.length === 0) seen = column.names;
    for (const name of open) {
      const [index, second] = column.indexes.get(name) ?? [];
      if (index === undefined) continue;
      const why = `several interfaces are called ${shown(name)}`;
      found.set(
        name,
        second === undefined
          ? { kind: 'found', index, nameObject: `${object}.${index}` }
          : { kind: 'missing', why },
      );
    }
  }
  for (const name of names) {
    if (found.has(name)) continue;
    const listed = seen.slice(0, MAX_LISTED).map(shown).join(', ');
    const rest = seen.length > MAX_LISTED ? ` and ${seen.length - MAX_LISTED} more` : '';
    const there = seen.length === 0 ? 'the agent shows no interface at all' : `there are ${listed}${rest}`;
    found.set(name, { kind: 'missing', why: `no interface is called ${shown(name)}; ${there}` });
  }
  return found;
}

async function walk(object: string, ask: Ask): Promise<Column> {
  const indexes = new Map<string, readonly string[]>();
  const names: string[] = [];
  let last = object;
  for (;;) {
    const reply = await ask({ type: 'get-bulk', repetitions: REPETITIONS, varbinds: [asked(last)] });
    if (reply.varbinds.length === 0) return { indexes, names };
    for (const { oid, value } of reply.varbinds) {
      if (!oid.startsWith(`${object}.`) || value.kind !== 'octets') return { indexes, names };
      const index = oid.slice(object.length + 1);
      // An agent that goes round in circles is not followed.
      if (!after(index, last.slice(object.length + 1)) || names.length >= MAX_INTERFACES) {
        throw new Error('the list of interfaces does not end');
      }
      const name = nameOf(value.value);
      indexes.set(name, [...(indexes.get(name) ?? []), index]);
      names.push(name);
      last = oid;
    }
  }
}

/** Both tables are indexed by one number. */
const after = (index: string, last: string): boolean => last === '' || Number(index) > Number(last);

/** A name as the agent spells it; some end it with a zero. */
export const nameOf = (octets: Buffer): string => octets.toString('latin1').replace(/\0+$/, '');

const shown = (name: string): string => JSON.stringify(name.slice(0, MAX_NAME));
