/** Faults planted into what does proof tests and commissioning, one at a time. The simulation must catch each. */
import type { Mutant } from './mutants.ts';

const proofs = 'interlock/records/proof-record.ts';
const session = 'interlock/rights/commissioning-session.ts';
const hands = 'interlock/commissioning/hands.ts';
const watch = 'interlock/watch.ts';
const shell = 'interlock/link-shell.ts';

export const proofMutants: readonly Mutant[] = [
  {
    name: 'a cut of one contact is a cut of all',
    file: 'interlock/trips/cut-figures.ts',
    find: 'return named.length > 0 ? named : contacts;',
    replace: 'return named.length > 99 ? named : contacts;',
  },
  {
    name: 'a cut of all beside a cut of one is a cut of one',
    file: 'interlock/trips/cut-figures.ts',
    stress: ['window-by-hand', 'stop', 'trip'],
    find: 'if (cuts.some(({ only }) => only === undefined)) return contacts;',
    replace: 'if (cuts.some(({ why }) => why === "tripped")) return contacts.slice(0, 1);',
  },
  {
    name: 'what a proof test came to waits for the journal',
    file: shell,
    find: "for (const act of decision.acts) if (act.kind === 'proof-ended') this.#hands.proofEnded(act);",
    replace:
      "void this.#hands.record({ link: this.link, event, before, decision, cut: null }).then(() => decision.acts.forEach((act) => act.kind === 'proof-ended' && this.#hands.proofEnded(act)), () => undefined);",
  },
  {
    name: 'a proof is not kept',
    stress: ['crash', 'window-by-hand'],
    file: proofs,
    find: 'return this.#file.save(); }',
    replace: 'return Promise.resolve(); }',
  },
  {
    name: 'a proof that failed refuses nothing',
    stress: ['contact-fault', 'window-by-hand'],
    file: proofs,
    find: "if (last.outcome === 'failed')",
    replace: "if (last.outcome === 'failed' && last.tookMs !== null)",
  },
  {
    name: 'an overdue proof refuses nothing',
    stress: ['window-by-hand'],
    file: proofs,
    find: 'if (leased || Math.abs(calendarMs - last.at) <= maxAgeMs) return [];',
    replace: 'if (leased || maxAgeMs > 0) return [];',
  },
  {
    name: 'it is always the turn of the first contact',
    stress: ['window-by-hand'],
    file: proofs,
    find: 'contacts.toSorted((a, b) => lastTurn(a, proofs, tries) - lastTurn(b, proofs, tries))[0];',
    replace: 'contacts.filter((each) => lastTurn(each, proofs, tries) !== -1)[0];',
  },
  {
    name: 'the contact whose proof is newest is next',
    stress: ['window-by-hand'],
    file: proofs,
    find: 'lastTurn(a, proofs, tries) - lastTurn(b, proofs, tries)',
    replace: 'lastTurn(b, proofs, tries) - lastTurn(a, proofs, tries)',
  },
  {
    name: 'a mirror contact is taken to see the whole path',
    file: watch,
    find: 'witnessOf(witness, own(sees, witness.name) ?? null)',
    replace: 'witnessOf(witness, sees[witness.name] === undefined ? null : null)',
  },
  {
    name: 'a proof test is not looked at',
    file: watch,
    find: "const alone = state.at === 'proving' ? aloneOf(indications, state.contact) : null;",
    replace: "const alone = state.at === 'proving' ? { ...aloneOf(indications, ''), contact: '' } : null;",
  },
  {
    name: 'hardware leases are renewed in a session, asked or not',
    stress: ['commission'],
    file: watch,
    find: 'if (leaseOf(this.#shell.state) === null) return;',
    replace: `if (this.#shell.state.at === 'commissioning')
        for (const each of this.#shell.contacts) void each.connect(this.#shell.fence());
      if (leaseOf(this.#shell.state) === null) return;`,
  },
  {
    name: 'a contact is driven without a fence',
    stress: ['commission', 'journal-fault', 'trip'],
    file: hands,
    find: 'const fence = shell.fence();',
    replace: 'const fence = { isCurrent: () => true };',
  },
  {
    name: 'a contact is driven under a fence taken after the journal has written',
    stress: ['commission', 'journal-fault', 'trip'],
    file: hands,
    find: 'const fence = shell.fence(); const { decision, recorded } = await asked;',
    replace:
      'const { decision, recorded } = await asked; const fence = { isCurrent: () => shell.state.at !== "isolated" };',
  },
  {
    name: 'a contact is driven though the journal did not take it',
    stress: ['commission', 'journal-fault'],
    file: hands,
    find: '&& recorded && shell.isNoted(session);',
    replace: '&& shell.isNoted(session);',
  },
  {
    name: 'a contact is driven before its exposure is on disk',
    stress: ['commission', 'disk-fault'],
    file: hands,
    find: '&& recorded && shell.isNoted(session);',
    replace: '&& recorded;',
  },
  {
    name: 'a hardware lease is renewed for a session that is over',
    stress: ['commission', 'window-by-hand'],
    file: hands,
    find: "if (contact === undefined || !driven.has(name) || !live()) return { kind: 'fenced' };",
    replace: "if (contact === undefined) return { kind: 'fenced' };",
  },
  {
    name: 'commissioning begins while stopping',
    stress: ['stop', 'commission'],
    file: session,
    find: 'if (interlock.stopping) return refuse(stopping);',
    replace: '',
  },
  {
    name: 'commissioning is granted to anybody',
    stress: ['commission-without-presence'],
    file: session,
    find: 'presence: asked.presence, failing,',
    replace: 'presence: true, failing,',
  },
  {
    name: 'commissioning needs no journal',
    stress: ['commission', 'journal-fault'],
    file: session,
    find: 'const failing = alwaysNeeded(interlock.conditionsNow(link).failing);',
    replace: 'const failing = alwaysNeeded(interlock.conditionsNow(link).failing).slice(99);',
  },
  {
    name: 'nobody is told the end of a session',
    stress: ['commission'],
    file: session,
    find: 'link.hold({ id, claim, holder, hands });',
    replace:
      'link.hold({ id, claim, holder: { tell: (line) => line.event === "over" || holder.tell(line) }, hands });',
  },
];
