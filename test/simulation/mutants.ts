/** Faults planted into the shell and what surrounds it, one at a time. The simulation must catch each. */
import type { ActName } from './chaos.ts';
import type { Mutation } from './program.ts';

export interface Mutant extends Mutation {
  readonly name: string;
  /** Where it shows soonest. */
  readonly stress?: readonly ActName[];
}

const shell = 'interlock/link-shell.ts';
const interlock = 'interlock/interlock.ts';
const atWork = 'interlock/link-at-work.ts';
const latch = 'interlock/records/latch-file.ts';
const found = 'interlock/records/latches-found.ts';
const ledger = 'interlock/records/ledger.ts';
const stateFile = 'interlock/records/state-file.ts';
const outlook = 'interlock/outlook.ts';
const permissives = 'interlock/permissives.ts';
const reset = 'interlock/rights/reset.ts';
const watch = 'interlock/watch.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'whoever asks is at the box',
    stress: ['attend-without-presence', 'reset-without-presence', 'trip'],
    file: 'interlock/rights/authority.ts',
    find: "if (presence) return { authority: { by: 'box' } };",
    replace: "return { authority: { by: 'box' } };",
  },
  {
    name: 'a session outlives a trip',
    stress: ['attend', 'trip'],
    file: atWork,
    find: "if (latchOf(state) !== null) this.attended.handle({ kind: 'latched', now: clock.now() });",
    replace: '',
  },
  {
    name: 'a lease of a session that is over is granted',
    stress: ['attend', 'stray-ask'],
    file: 'interlock/rights/attended.ts',
    find: 'this.#session = decision.session;',
    replace: 'this.#session = decision.session ?? (event.kind === "end-asked" ? before : null);',
  },
  {
    name: 'record before cut',
    file: shell,
    find: 'const cutting = decision.cuts.length === 0 ? null : this.#cut(event.now, decision.cuts);',
    replace: `const recording = this.#hands.record({ link: this.link, event, before, decision, cut: null }).catch(() => undefined);
      const cutting = decision.cuts.length === 0 ? null : recording.then(() => this.#cut(event.now, decision.cuts));`,
  },
  {
    name: 'the cut waits for one promise',
    file: shell,
    find: ': this.#cut(event.now, decision.cuts);',
    replace: ': Promise.resolve().then(() => this.#cut(event.now, decision.cuts));',
  },
  {
    name: 'only the first contact is cut',
    file: shell,
    find: 'const receipts = this.#hands.cut(contacts);',
    replace: 'const receipts = this.#hands.cut(contacts.slice(0, 1));',
  },
  {
    name: 'fences are always current',
    file: shell,
    find: 'isCurrent: () => this.#epoch === epoch && permissionOf(this.#state)?.id === leaseId && leaseId !== undefined,',
    replace: 'isCurrent: () => epoch >= 0 && leaseId !== null,',
  },
  {
    name: 'connect takes its fence when it acts, not when it was decided',
    stress: ['journal-fault', 'window-by-hand', 'stray-ask'],
    file: shell,
    find: 'else if (recorded && noted) this.#connect(act.leaseId, fence);',
    replace:
      'else if (recorded && noted) this.#connect(act.leaseId, fence.isCurrent() ? fence : this.fence());',
  },
  {
    name: 'act without record',
    stress: ['journal-fault', 'window-by-hand'],
    file: shell,
    find: 'else if (recorded && noted) this.#connect',
    replace: 'else if (noted) this.#connect',
  },
  {
    name: 'connect without exposure on disk',
    stress: ['disk-fault', 'window-by-hand'],
    file: shell,
    find: 'else if (recorded && noted) this.#connect',
    replace: 'else if (recorded) this.#connect',
  },
  {
    name: 'hardware leases are renewed for whatever lease there is',
    file: shell,
    find: 'if (lease === null || this.#connectedFor !== lease.id) return;',
    replace: 'if (lease === null) return;',
  },
  {
    name: 'the latch is not awaited',
    stress: ['disk-fault', 'crash', 'trip'],
    file: shell,
    find: 'this.#latchSaved = (await succeeded(this.#hands.saveLatch(is, cutMs))) && is !== null;',
    replace: 'void succeeded(this.#hands.saveLatch(is, cutMs)); this.#latchSaved = is !== null;',
  },
  {
    name: 'a latch counts as saved however its saving went',
    stress: ['disk-fault', 'crash', 'trip'],
    file: shell,
    find: 'this.#latchSaved = (await succeeded(this.#hands.saveLatch(is, cutMs))) && is !== null;',
    replace: 'await succeeded(this.#hands.saveLatch(is, cutMs)); this.#latchSaved = is !== null;',
  },
  {
    name: 'a latch assumed at start counts as saved',
    stress: ['crash', 'trip'],
    file: shell,
    find: 'this.#latchSaved = latch !== null && latchSaved;',
    replace: 'this.#latchSaved = latch !== null;',
  },
  {
    name: 'exposure ends with the cut, not with the proof',
    stress: ['window-by-hand'],
    file: shell,
    find: 'if (isolationProvenAt(state) === null || isolationProvenAt(before) !== null) return true;',
    replace: 'if (leaseOf(state) !== null || leaseOf(before) === null) return true;',
  },
  {
    name: 'the second link waits for the first',
    file: interlock,
    find: "return Promise.all(links.map((link) => link.shell.handle({ kind: 'tripped', now, trip, receivedAt })));",
    replace: `return (async () => {
      const steps = [];
      for (const link of links) steps.push(await link.shell.handle({ kind: 'tripped', now, trip, receivedAt }));
      return steps;
    })();`,
  },
  {
    name: 'time does not pass by itself',
    file: interlock,
    find: "for (const link of this.links.values()) void link.shell.handle({ kind: 'tick', now });",
    replace: '',
  },
  {
    name: 'leases are granted while stopping',
    stress: ['stop', 'window-by-hand'],
    file: interlock,
    find: 'if (this.#stopping) return',
    replace: "if (this.#stopping && claim.link === '') return",
  },
  {
    name: 'the window claimed is not looked up',
    file: outlook,
    find: ': entitledUntil(calendar, link.name, claim.window, claim.occurrence);',
    replace: ': (calendar.open[0]?.endsAt ?? null);',
  },
  {
    name: 'a reset needs no presence',
    stress: ['trip', 'reset-without-presence'],
    file: reset,
    find: "link.shell.handle({ kind: 'reset-asked', now: clock.now(), presence });",
    replace: "link.shell.handle({ kind: 'reset-asked', now: clock.now(), presence: true });",
  },
  {
    name: 'a link saves its own latch only',
    file: interlock,
    find: 'latch === null ? [] : [[name, latch]],',
    replace: "latch === null || (name === 'vault' && this.links.get('attic')?.latch) ? [] : [[name, latch]],",
  },
  {
    name: 'a reset lifts what came after it',
    file: reset,
    stress: ['journal-fault', 'trip', 'trip-all'],
    find: 'if (link.shell.trips !== trips) return refuse([trippedAgain]);',
    replace: '',
  },
  {
    name: 'a lease is granted to somebody who has gone',
    file: interlock,
    stress: ['window-by-hand'],
    find: 'if (holder.gone?.() === true)',
    replace: "if (claim.link === '')",
  },
  {
    name: 'whoever holds the lease now is told of the one before',
    stress: ['journal-fault', 'window-by-hand'],
    file: atWork,
    find: "this.#untold.get(act.leaseId)?.tell({ event: 'over', why: act.why });",
    replace: "[...this.#untold.values()].at(-1)?.tell({ event: 'over', why: act.why });",
  },
  {
    name: 'a holder is not told the end',
    file: atWork,
    find: "this.#untold.get(act.leaseId)?.tell({ event: 'over', why: act.why });",
    replace: '',
  },
  {
    name: 'a trip is acknowledged though the disk took nothing',
    stress: ['disk-fault', 'crash', 'trip'],
    file: latch,
    find: 'await this.#empty(); }',
    replace: 'await this.#empty().catch(() => undefined); }',
  },
  {
    name: 'an unreadable latch is clear',
    stress: ['crash', 'trip'],
    file: found,
    find: "return everyLink('fault:latch-unreadable', `the latch file cannot be read: ${read.why}`);",
    replace: "return { latches: {}, saved: true, note: 'read' };",
  },
  {
    name: 'an unreadable ledger is written over',
    stress: ['crash', 'window-by-hand'],
    file: stateFile,
    find: 'if (this.unreadable !== null) return Promise.reject(new Error(`the ${this.#what} is kept: ${this.unreadable}`));',
    replace: '',
  },
  {
    name: 'a stretch of an earlier boot counts as nothing',
    file: ledger,
    find: 'return since.boot === moment.boot ? since.at : millis(moment.now - since.plannedMs);',
    replace: 'return since.boot === moment.boot ? since.at : moment.now;',
  },
  {
    name: 'the journal is no permissive',
    stress: ['journal-fault', 'window-by-hand'],
    file: permissives,
    find: 'if (!outlook.journal.ok) {',
    replace: 'if (!outlook.journal.ok && outlook.journal.why === undefined) {',
  },
  {
    name: 'the clock is no permissive',
    stress: ['clock-unsynchronised'],
    file: permissives,
    find: 'if (!outlook.clock.synchronised && !outlook.atTheBox) {',
    replace: 'if (!outlook.clock.synchronised && outlook.clock.detail === undefined) {',
  },
  {
    name: 'the budget is no limit',
    file: permissives,
    find: 'budgetLeftMs: outlook.budgetMs - outlook.exposedMs,',
    replace: 'budgetLeftMs: outlook.budgetMs,',
  },
  {
    name: 'questions pile up before an indicator that hangs',
    file: watch,
    find: 'if (late !== null || indicator.askingSince !== null) return late;',
    replace: 'if (late !== null) return late;',
  },
  {
    name: 'an indicator that has not answered says what it said before',
    stress: ['contact-fault', 'witness-fault'],
    file: watch,
    find: 'if (late !== null || indicator.askingSince !== null) return late;',
    replace: `if (late !== null || indicator.askingSince !== null) {
      const before = late ?? indicator.watched.reading;
      return before === null ? null : { ...before, takenAt: this.#clock.now() };
    }`,
  },
];
