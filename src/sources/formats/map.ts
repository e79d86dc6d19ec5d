/** The `map` format: where a body of any other sender says what, by JSON pointers (RFC 6901) and simple comparisons. Pure. */
import { type Alert, type AlertFound, type Message, said, saidTogether, unrecognised } from '../message.ts';

/** One question to a body. Every comparison that is given must hold; without any, something must stand there. */
export interface Condition {
  readonly pointer: string;
  /** One of these, exactly: text is not a number. */
  readonly equals?: readonly (string | number | boolean | null)[];
  readonly begins_with?: string;
  readonly at_least?: number;
  readonly at_most?: number;
}

/** Where things stand. Pointers are relative to each element of the list at `each` when that is given. */
export interface Mapping {
  readonly each?: string;
  /** All must hold for an alert to fire; when given, an alert that is neither firing, over nor a test is not recognised. */
  readonly firing?: readonly Condition[];
  /** All must hold for an alert to be over. */
  readonly resolved?: readonly Condition[];
  /** All must hold for an alert to be the sender's test. */
  readonly test?: readonly Condition[];
  readonly status?: string;
  readonly severity?: string;
  readonly rule?: string;
  readonly reason?: string;
  readonly id?: string;
}

/** RFC 6901: empty, or parts that begin with "/"; "~" only as "~0" and "~1". */
export const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** What a pointer shows, `undefined` when nothing is there. Only what the body itself says. */
export function pointed(value: unknown, pointer: string): unknown {
  let here = value;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof here !== 'object' || here === null) return undefined;
    if (Array.isArray(here) && !INDEX.test(key)) return undefined;
    if (!Object.hasOwn(here, key)) return undefined;
    here = (here as Readonly<Record<string, unknown>>)[key];
  }
  return here;
}

/** Reads a body by a mapping. */
export function readMapped(map: Mapping, body: unknown): Message {
  if (map.each === undefined) return alone(map, body);
  const list = pointed(body, map.each);
  if (!Array.isArray(list)) return unrecognised('there is no list where `each` points');
  const statuses = list.map((item: unknown) => statusOf(map, item));
  // What fires is no less for what stands beside it.
  if (statuses.includes(undefined) && !statuses.includes('firing'))
    return unrecognised('an alert in it is none of those described');
  return saidTogether<unknown>(list, (item) => foundIn(map, item, statusOf(map, item) ?? null), 0);
}

function alone(map: Mapping, body: unknown): Message {
  const status = statusOf(map, body);
  if (status === undefined) return unrecognised('it is none of those described');
  const found = foundIn(map, body, status);
  const pointers = [map.status, map.severity, map.rule, map.reason, map.id];
  const silent = pointers.every((pointer) => pointer === undefined || pointed(body, pointer) === undefined);
  return status === null && silent ? unrecognised('nothing stands where the pointers show') : said(found);
}

/** `undefined`: none of those described. What fires is not over, whatever else it says. */
function statusOf(map: Mapping, item: unknown): Alert['status'] | undefined {
  if (hold(map.firing, item)) return 'firing';
  const [over, test] = [hold(map.resolved, item), hold(map.test, item)];
  if (over && test) return undefined;
  if (over) return 'resolved';
  if (test) return 'test';
  return map.firing === undefined ? null : undefined;
}

function foundIn(map: Mapping, item: unknown, status: Alert['status']): AlertFound {
  const value = (pointer: string | undefined): unknown =>
    pointer === undefined ? undefined : pointed(item, pointer);
  return {
    status,
    state: value(map.status),
    severity: value(map.severity),
    rule: value(map.rule),
    reason: value(map.reason),
    id: value(map.id),
  };
}

const hold = (conditions: readonly Condition[] | undefined, item: unknown): boolean =>
  conditions !== undefined && conditions.length > 0 && conditions.every((each) => holds(each, item));

function holds(condition: Condition, item: unknown): boolean {
  const { pointer, equals, begins_with: beginning, at_least: least, at_most: most } = condition;
  const value = pointed(item, pointer);
  if (value === undefined) return false;
  if (equals !== undefined && !equals.some((each) => each === value)) return false;
  if (beginning !== undefined && !(typeof value === 'string' && value.startsWith(beginning))) return false;
  const number = numberOf(value);
  if (least !== undefined && !(number !== null && number >= least)) return false;
  return most === undefined || (number !== null && number <= most);
}

/** Numbers, and text that is a plain number. */
function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : null;
}
