/** What an onlooker knows of one link: the truth, what was asked of its contacts, what was granted and what was promised. */
import type { PhysicalLink } from './hardware.ts';

/** The last calls that the present life made for one contact. */
export interface Calls {
  last: 'isolate' | 'connect' | null;
  isolates: number;
  isolatedAt: number;
}

/** An opening of a window as it was announced. Times of the world. */
export interface SeenOpening {
  readonly occurrence: string;
  readonly window: string;
  readonly endsBy: number;
  readonly byHand: boolean;
  closedAt: number | null;
}

/** A proof test as it goes on. Times of the world. */
export interface SeenTest {
  readonly contact: string;
  readonly since: number;
  /** The contact let go at some moment of it. */
  letGo: boolean;
}

/** What a proof came to, and when, as time of the world. */
export interface SeenResult {
  readonly outcome: 'passed' | 'failed';
  readonly at: number;
}

/** The lease in force. Times of the world. */
export interface SeenLease {
  readonly id: string;
  endsAt: number;
}

export class Account {
  readonly link: PhysicalLink;
  calls = new Map<string, Calls>();
  openings: SeenOpening[] = [];
  lease: SeenLease | null = null;
  /** The commissioning session in force. */
  session: SeenLease | null = null;
  /** Contacts that the hands of the session are driving at this moment. */
  readonly driving = new Set<string>();
  test: SeenTest | null = null;
  /** The contact that was proven last by this life, while no other has had its turn since. */
  provenLast: string | null = null;
  /** What the last proof of every contact came to, and when. */
  readonly results = new Map<string, SeenResult>();
  /** Contacts of the session in force whose drive the journal has. */
  readonly recordedDrives = new Set<string>();
  /** When something other than a contact could last have misled everybody about the path. */
  misledAt = Number.NEGATIVE_INFINITY;
  leaseOverAt = Number.NEGATIVE_INFINITY;
  /** Leases under which evidence said connected. */
  readonly provenLeases = new Set<string>();
  /** The last lease under which a connect was written; what a hand connects is not the program's to account. */
  drivenLease: string | null = null;
  /** Leases whose grant is on the medium. */
  readonly recordedLeases = new Set<string>();
  connectedSince: number | null = null;
  /** When an indicator last said isolated of what was connected. */
  liedAt = Number.NEGATIVE_INFINITY;
  /** When a command could last have gone astray. */
  faultAt = Number.NEGATIVE_INFINITY;
  /** Since when the link is commanded isolated without proof; null when it is proven or connected. */
  unprovenSince: number | null = null;
  /** A trip was handled in this life, or acknowledged in an earlier one, and no reset came since. */
  mustBeLatched = false;
  acknowledged = false;
  /** For every reset at work: the trips that had come when it was asked for. */
  resetsAtWork: number[] = [];
  /** People at the box who have asked for an attended session and were not answered yet. */
  readonly wishes = new Set<object>();
  /** Trips handed over by people. */
  trips = 0;
  /** Latches that a reset has lifted. */
  resets = 0;
  /** Connected under a lease that ends then, and counted since; null when not. */
  exposedUntil: number | null = null;
  /** Time truly connected under a lease, ms. */
  exposedMs = 0;

  constructor(link: PhysicalLink) {
    this.link = link;
  }

  callsOf(contact: string): Calls {
    let calls = this.calls.get(contact);
    if (calls === undefined) {
      calls = { last: null, isolates: 0, isolatedAt: Number.NEGATIVE_INFINITY };
      this.calls.set(contact, calls);
    }
    return calls;
  }

  /** The record of exposure was set aside by hand. */
  forgetExposure(): void {
    this.exposedMs = 0;
    this.exposedUntil = null;
  }

  /** A process died: what it alone knew is gone. */
  forget(): void {
    this.calls = new Map();
    this.openings = [];
    this.wishes.clear();
    this.lease = null;
    this.session = null;
    this.driving.clear();
    this.recordedDrives.clear();
    this.test = null;
    this.provenLast = null;
    this.leaseOverAt = Number.NEGATIVE_INFINITY;
    this.unprovenSince = null;
    this.mustBeLatched = this.acknowledged;
    this.resetsAtWork = [];
  }
}
