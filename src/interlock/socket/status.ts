/** What the interlock says about itself. Commanded and observed are told apart; nothing is said that was not read. */
import { own } from '../../core/names.ts';
import type { ContactProof, LinkStatus, Status } from '../../protocol/messages.ts';
import { isolationProvenAt, leaseOf } from '../../core/link.ts';
import { refusalsAt } from '../../core/decide.ts';
import { calendarText } from '../clock.ts';
import type { Interlock } from '../interlock.ts';
import { commissioningShown } from '../commissioning/shown.ts';
import { type LinkAtWork, latchShown } from '../link-at-work.ts';
import type { Proofs } from '../records/proof-record.ts';
import { causeId, resetNeeds } from '../rights/reset.ts';
import { runNeeds } from '../rights/run-by-hand.ts';
import { sessionNeeds } from '../rights/session-asking.ts';

/** Everything, as `GET /v1/status` answers it. */
export function statusOf(interlock: Interlock): Status {
  const { bootId, build, button, clock, lamps, links, room, trust, journal, windows } = interlock.parts;
  const disk = room?.status();
  const simulated = Object.values(links).some(({ grade }) => grade === 'simulated');
  const { synchronised, detail } = trust();
  const { size, hash } = journal.head();
  return {
    build,
    boot_id: bootId,
    at: calendarText(clock.calendarMs()),
    clock: { synchronised, detail },
    journal: {
      writable: journal.writable().ok,
      size,
      head: hash,
      ...(disk === undefined ? {} : { disk }),
    },
    links: [...interlock.links.values()].map((link) => linkStatusOf(interlock, link)),
    windows: windows.status(clock.now(), (plan) => runNeeds(interlock, plan)),
    ...(button === undefined ? {} : { button: button.status() }),
    ...(lamps === undefined ? {} : { lamps: lamps.status(simulated) }),
    sources: [...interlock.heard.status()],
    approvers: [...(interlock.parts.approvers?.names ?? [])],
  };
}

/** One link, as status pages and the event stream show it. */
export function linkStatusOf(interlock: Interlock, link: LinkAtWork): LinkStatus {
  const { clock, ledger } = interlock.parts;
  const now = clock.now();
  const { state } = link.shell;
  const lease = leaseOf(state);
  const latch = latchShown(link);
  const proven = isolationProvenAt(state) !== null || state.at === 'connected';
  return {
    link: link.name,
    state: state.at,
    since: calendarText(link.since),
    commanded: lease !== null || link.holding?.hands?.drivesAll() === true ? 'connected' : 'isolated',
    observed: link.watch.evidence.position,
    proof: proven ? link.watch.evidence.basis : 'none',
    evidence_grade: link.parts.grade,
    indicators: link.watch.indicators.map(({ name, kind, type, reading }) => ({
      name,
      kind,
      type,
      position: reading?.position ?? 'unknown',
      age_ms: reading === null ? null : Math.round(now - reading.takenAt),
      detail: reading?.detail ?? 'not read yet',
    })),
    ratings: Object.fromEntries(link.parts.ratings ?? []),
    lease:
      lease === null
        ? null
        : {
            id: lease.id,
            holder: holderOf(link),
            ends_in_ms: Math.floor(lease.endsAt - now),
          },
    latch: latch === null ? null : { ...latch, cause: causeId(latch) },
    last_trip: link.newestTrip.shown(),
    session: link.attended.status(),
    reset_needs: [...resetNeeds(interlock, link)],
    session_needs: [...sessionNeeds(interlock, link)],
    proofs: link.parts.contacts.map(({ name }) => proofOf(name, proofsShown(interlock, link))),
    commissioning: commissioningShown(interlock.parts.commissionings, link.name),
    heartbeats: [...interlock.heartbeats.status(link)],
    refusals: [...refusalsAt(state, interlock.conditionsNow(link), now)],
    exposure: {
      last_24h_ms: ledger.exposedMs(link.name, interlock.moment()),
      budget_ms: link.parts.budgetMs,
    },
  };
}

/** Whoever holds the lease: the name of its window, or `attended`. */
function holderOf({ holding }: LinkAtWork): string {
  if (holding === null) return '';
  return 'window' in holding.claim ? holding.claim.window : 'attended';
}

/** What was seen on emulated boards is no proof of the real ones that replaced them. */
function proofsShown({ parts: { commissionings, proofs } }: Interlock, { name, parts }: LinkAtWork): Proofs {
  const read = commissionings.record(name);
  const emulated = read.kind === 'read' && read.record.grade === 'simulated' && parts.grade !== 'simulated';
  const known = Object.entries(proofs.of(name));
  return Object.fromEntries(known.filter(([, { outcome }]) => !emulated || outcome === 'failed'));
}

function proofOf(contact: string, proofs: Proofs): ContactProof {
  const last = own(proofs, contact);
  if (last === undefined)
    return { contact, outcome: 'none', basis: 'none', took_ms: null, at: null, by: null };
  const { outcome, basis, tookMs, at, by } = last;
  return {
    contact,
    outcome,
    basis,
    took_ms: tookMs === null ? null : Math.round(tookMs),
    at: calendarText(at),
    by,
  };
}
