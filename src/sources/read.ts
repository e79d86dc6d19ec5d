/** From the body of a verified request to what it says. Pure. Never throws; what is not understood is unrecognised. */
import { formats, type FormatName } from './formats.ts';
import { readMapped, type Mapping } from './formats/map.ts';
import { readJson } from './json-body.ts';
import { type Alert, type Message, unrecognised } from './message.ts';

/** How the body of a source is read: by a known sender's format, or by pointers from the configuration. */
export type Reading = { readonly format: FormatName } | { readonly format: 'map'; readonly map: Mapping };

/**
 * Reads a body. `trips`: true when such a message trips: then nothing that is said twice could make more of it, and a long
 * body need not be searched for that before the cut.
 */
export function readMessage(
  reading: Reading,
  rawBody: Uint8Array,
  trips: (message: Message) => boolean = () => false,
): Message {
  const body = readJson(rawBody);
  if (!body.ok) return unrecognised(body.why);
  const message = understood(reading, body.value);
  if (message.kind === 'unrecognised' || trips(message) || !body.repeats()) return message;
  return doubted(message.alerts);
}

function understood(reading: Reading, value: unknown): Message {
  try {
    return reading.format === 'map' ? readMapped(reading.map, value) : formats[reading.format](value);
  } catch (error) {
    // A mistake of ours in reading must not keep a verified alarm from cutting.
    return unrecognised(`reading it failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Two answers to one question are none: another reader of this body might see the other one. What it says of being over,
 * of being a test or of being small does not count; that it fires does.
 */
function doubted(alerts: readonly Alert[]): Message {
  const firing = alerts.filter(({ status }) => status === 'firing' || status === null);
  if (firing.length === 0) return unrecognised('it says something more than once');
  const uncertain = { state: null, severity: null, level: null, rule: null };
  return { kind: 'recognised', alerts: firing.map((alert) => ({ ...alert, ...uncertain })) };
}
