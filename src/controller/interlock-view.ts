/** What the interlock says, followed for ever. */
import type { InterlockClient } from '../protocol/client.ts';
import { InterlockError } from '../protocol/interlock-error.ts';
import type { EventLine, Status } from '../protocol/messages.ts';
import { machineTime } from '../protocol/time.ts';
import type { Time } from '../protocol/time.ts';
import type { Voice } from './voice.ts';

/** Pauses between attempts to reach the interlock, ms: it is on this machine and may only just be starting. */
const RECONNECT_MS = [100, 200, 500, 1_000, 2_000] as const;
/** Alarms that are remembered. */
const MOST_ALARMS = 20;

/** Something that went wrong on a link, and when it was heard (RFC 3339). */
export interface HeardAlarm {
  readonly at: string;
  readonly link: string;
  readonly code: string;
  readonly why: string;
  readonly hint: string;
}

/** What the interlock last said, and whether it still speaks. */
export interface InterlockView {
  hear(event: EventLine): void;
  lose(problem: InterlockError): void;
  /** Newest first. */
  alarms(): readonly HeardAlarm[];
  show(): {
    readonly interlock: Status | null;
    readonly interlock_age_ms: number | null;
    readonly interlock_problem: { readonly code: string; readonly why: string; readonly hint: string } | null;
  };
}

/** A view that has heard nothing yet. */
export function interlockView(time: Time = machineTime): InterlockView {
  let status: Status | null = null;
  let heardAtMs: number | null = null;
  let problem: { readonly code: string; readonly why: string; readonly hint: string } | null = {
    code: 'INTERLOCK_UNHEARD',
    why: 'the interlock has not been heard yet',
    hint: 'wait a moment',
  };
  const alarms: HeardAlarm[] = [];
  const notePresent = (window: string, open: { occurrence: string; ends_in_ms: number } | null): void => {
    if (status === null) return;
    const kept = open === null ? null : { occurrence: open.occurrence, ends_in_ms: open.ends_in_ms };
    const windows = status.windows.map((each) => (each.window === window ? { ...each, open: kept } : each));
    status = { ...status, windows };
  };
  return {
    hear(event) {
      heardAtMs = time.now();
      problem = null;
      if (event.event === 'hello') status = event.status;
      if (event.event === 'alarm') {
        const { link, code, why, hint } = event;
        alarms.unshift({ at: time.date().toISOString(), link, code, why, hint });
        alarms.splice(MOST_ALARMS);
      }
      if (event.event === 'link' && status !== null) {
        const { link } = event;
        status = { ...status, links: status.links.map((each) => (each.link === link.link ? link : each)) };
      }
      if (event.event === 'window-opened') notePresent(event.window, event);
      if (event.event === 'window-closed') notePresent(event.window, null);
    },
    alarms: () => alarms,
    lose({ code, message, hint }) {
      problem = { code, why: message, hint };
    },
    show: () => ({
      interlock: status,
      interlock_age_ms: heardAtMs === null ? null : Math.round(time.now() - heardAtMs),
      interlock_problem: problem,
    }),
  };
}

/** Follows the events for ever, reconnecting after bounded pauses, until `stop`. Says once why it cannot, and once that it can again. */
export async function follow(
  client: InterlockClient,
  stop: AbortSignal,
  voice: Voice,
  view: InterlockView,
  onEvent: (event: EventLine) => void,
  time: Time = machineTime,
): Promise<void> {
  let failures = 0;
  let said = '';
  while (!stop.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one stream after the other
      for await (const event of client.events(stop)) {
        if (said !== '') voice.note('info', 'the interlock is heard again');
        said = '';
        failures = 0;
        view.hear(event);
        onEvent(event);
      }
    } catch (error) {
      if (!(error instanceof InterlockError)) throw error;
      view.lose(error);
      if (said !== error.code) voice.note('warn', error.message, { code: error.code, hint: error.hint });
      said = error.code;
    }
    const waitMs = RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)] ?? 0;
    failures += 1;
    // oxlint-disable-next-line no-await-in-loop
    await time.pause(waitMs, stop);
  }
}
