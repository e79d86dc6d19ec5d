/**
 * Notifications: what the controller hears becomes notices, each kept until every destination that wants it has taken it.
 *
 * Nothing here is on the way of a cut, a lease or a window: whoever hands something over never waits, and the interlock
 * knows nothing of it. A notice is on disk before it is sent, so a death in mid-delivery sends it again, with the same id.
 */
import { randomUUID } from 'node:crypto';
import { destinationsByName, type NotifyConfig } from '../../config/schema/notify.ts';
import type { Disk } from '../../journal/disk.ts';
import type { EventLine, Status } from '../../protocol/messages.ts';
import { machineTime } from '../../protocol/time.ts';
import type { Time } from '../../protocol/time.ts';
import type { WindowReport } from '../report.ts';
import type { Voice } from '../voice.ts';
import { Courier, type CourierEvents, type DestinationStatus } from './courier.ts';
import { News } from './news.ts';
import type { Draft, Notice } from './notice.ts';
import { withAdded } from './queue.ts';
import { PACE, type Pace } from './retry.ts';
import { senderOf, wants, type Sender } from './senders.ts';
import { openStore, type Store } from './store.ts';
import { noticesLost } from './texts.ts';

const TICK_MS = 1_000;
/** ms between looks at the state of the links, for what changes without an event. */
const LOOK_MS = 30_000;
/** ms for the last notices before this program ends; the rest is sent after the next start. */
const FAREWELL_MS = 3_000;
/** Characters of one notice's sentence, whatever was put into it. */
const SENTENCE_CHARS = 2_000;
/** Entries of a list in the data of a notice. */
const MOST_LISTED = 50;

export interface NotificationParts {
  readonly destinations: readonly NotifyConfig[];
  readonly disk: Disk;
  /** The controller's state directory. */
  readonly directory: string;
  readonly voice: Pick<Voice, 'note'>;
  readonly journal: (type: string, data: Readonly<Record<string, unknown>>) => void;
  /** The interlock's state now. */
  readonly status: () => Promise<Status>;
  /** Default: the time of this machine. */
  readonly time?: Time;
  /** 0 to 1. Default: `Math.random`. */
  readonly dice?: () => number;
  readonly pace?: Pace;
  readonly senders?: (one: NotifyConfig) => Sender;
}

/** None of these waits; `stop` does, briefly. */
export interface Notifications {
  hear(event: EventLine): void;
  ended(report: WindowReport): void;
  tell(draft: Draft): void;
  show(): readonly DestinationStatus[];
  stop(): Promise<void>;
}

/** Reads what waits, and begins to send it. */
export async function startNotifications(parts: NotificationParts): Promise<Notifications> {
  const { voice } = parts;
  const { time = machineTime, dice = Math.random } = parts;
  const destinations = destinationsByName(parts.destinations);
  const store = await openStore(parts.disk, parts.directory, [...destinations.keys()], (text) =>
    voice.note('error', text),
  );
  const news = new News(store.told);
  const couriers = new Map<string, Courier>();
  const post = (draft: Draft, names: Iterable<string> = destinations.keys()): void => {
    const notice = noticeOf(draft, time.date());
    for (const name of names) {
      const one = destinations.get(name);
      const courier = couriers.get(name);
      if (one === undefined || courier === undefined || !wants(one, notice)) continue;
      add(store, name, notice, courier.flying, parts);
      courier.poke(notice.severity === 'critical');
    }
  };
  for (const [name, one] of destinations) {
    const events = eventsOf(name, store, parts, (draft) => post(draft, [name]));
    const send = (parts.senders ?? senderOf)(one);
    const { type } = one;
    couriers.set(
      name,
      new Courier({ name, type, store, send, pace: parts.pace ?? PACE, events, time, dice }),
    );
  }
  const tell = (drafts: readonly Draft[]): void => {
    for (const draft of drafts) post(draft);
    store.tell(news.told);
  };
  const timers = couriers.size === 0 ? [] : watchTime(news, parts, tell, time);
  for (const courier of couriers.values()) courier.poke();
  return {
    hear: (event) => tell(news.hear(event, time.now())),
    ended: (report) => tell(news.ended(report)),
    tell: (draft) => tell([draft]),
    show: () => [...couriers.values()].map(({ status }) => status),
    async stop() {
      for (const end of timers) end();
      const all = [...couriers.values()];
      const idle = new AbortController();
      const delivered = Promise.all(all.map((each) => each.idle())).then(() => idle.abort());
      await Promise.race([delivered, time.pause(FAREWELL_MS, idle.signal)]);
      await Promise.all(all.map((each) => each.stop()));
      await Promise.race([store.settled(), time.pause(FAREWELL_MS, undefined, 'idle')]);
    },
  };
}

function watchTime(
  news: News,
  { status }: NotificationParts,
  tell: (drafts: readonly Draft[]) => void,
  time: Time,
): readonly (() => void)[] {
  const look = async (): Promise<void> => {
    // An interlock that is away is told of elsewhere; its links are looked at when it is back.
    const found = await status().catch(() => null);
    if (found !== null) tell(found.links.flatMap((link) => news.look(link, time.now())));
  };
  return [
    time.every(TICK_MS, () => tell(news.tick(time.now())), 'idle'),
    time.every(LOOK_MS, () => void look(), 'idle'),
  ];
}

function add(
  store: Store,
  name: string,
  notice: Notice,
  flying: string | null,
  { voice }: NotificationParts,
): void {
  const before = store.queueOf(name);
  const after = withAdded(before, notice, flying);
  store.put(name, after);
  const first = before.lost.repeats + before.lost.others === 0;
  if (first && after.lost.repeats + after.lost.others > 0)
    voice.note(
      'error',
      `too many notices wait for ${name}: the oldest repeats are dropped, then the oldest`,
      {
        waiting: after.waiting.length,
      },
    );
}

function eventsOf(
  name: string,
  store: Store,
  { voice, journal }: NotificationParts,
  post: (draft: Draft) => void,
): CourierEvents {
  const about = ({ id, type }: Notice): Readonly<Record<string, unknown>> => ({
    destination: name,
    id,
    type,
  });
  return {
    delivered(notice, attempts, answer) {
      journal('controller.notice-delivered', { ...about(notice), attempts });
      voice.note('info', `${name} was told: ${notice.title}`, { id: notice.id, attempts, answer });
      const queue = store.queueOf(name);
      const { repeats, others } = queue.lost;
      if (repeats + others === 0) return;
      store.put(name, { ...queue, lost: { repeats: 0, others: 0 } });
      post(noticesLost(repeats, others));
    },
    failed(notice, why) {
      journal('controller.notice-waits', { ...about(notice), why });
      voice.note('warn', `${name} could not be told and is tried again: ${why}`, about(notice));
    },
    givenUp(notice, attempts, why) {
      journal('controller.notice-given-up', { ...about(notice), attempts, why });
      voice.note('error', `${name} was never told: ${notice.title}: ${why}`, { ...about(notice), attempts });
    },
  };
}

/** The draft with an identity, and within bounds whatever was put into it. */
export function noticeOf(draft: Draft, at: Date): Notice {
  const cut = (text: string): string =>
    text.length > SENTENCE_CHARS ? `${text.slice(0, SENTENCE_CHARS)}…` : text;
  const data = Object.fromEntries(
    Object.entries(draft.data).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.slice(0, MOST_LISTED) : value,
    ]),
  );
  return {
    ...draft,
    id: `msg_${randomUUID()}`,
    at: at.toISOString(),
    title: cut(draft.title),
    text: cut(draft.text),
    hint: cut(draft.hint),
    data,
  };
}
