/** Faults planted into the decision (`src/core`), one at a time. Each must be caught by the exploring test. */
export interface Mutant {
  readonly name: string;
  readonly find: string;
  readonly replace: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a trip while connected forgets to cut',
    find: "const cuts = [{ why: 'tripped' as const }];",
    replace: "const cuts = state.at === 'connected' ? [] : [{ why: 'tripped' as const }];",
  },
  {
    name: 'a trip while isolated does not latch',
    find: "    case 'isolated':\n    case 'isolating':\n      return { state: tripped(now, cause, policy), cuts, acts: [] };",
    replace:
      "    case 'isolating':\n      return { state: tripped(now, cause, policy), cuts, acts: [] };\n    case 'isolated':\n      return { state, cuts, acts: [] };",
  },
  {
    name: 'a second trip replaces the first cause',
    find: "    case 'tripped':\n      return { state, cuts, acts: [] };",
    replace: "    case 'tripped':\n      return { state: { ...state, trip: cause }, cuts, acts: [] };",
  },
  {
    name: 'time does not pass before the event',
    find: 'const passed = passTime(state, event.now, policy);',
    replace: 'const passed = stay(state);',
  },
  {
    name: 'a lease that was not renewed lives on',
    find: "now >= lease.renewBy ? 'lease-lapsed' : null",
    replace: 'null',
  },
  {
    name: 'a lease outlives its absolute end',
    find: "now >= lease.endsAt ? 'lease-ended' : now >= lease.renewBy",
    replace: 'now >= lease.renewBy',
  },
  {
    name: 'a renewal lengthens the end',
    find: 'endsAt: earlier(state.lease.endsAt, endsAt),\n    renewBy',
    replace: 'endsAt,\n    renewBy',
  },
  {
    name: 'anybody renews',
    find: 'if (!holds(state, leaseId)) return stay(state, [], [refuse([leaseUnknown])]);',
    replace: 'if (!isPermitted(state)) return stay(state, [], [refuse([leaseUnknown])]);',
  },
  {
    name: 'a renewal ignores failing permissives',
    find: 'if (refusals.length > 0 || endsAt === null) {\n    const isolated',
    replace: 'if (endsAt === null) {\n    const isolated',
  },
  {
    name: 'a grant ignores failing permissives',
    find: 'if (refusals.length > 0 || endsAt === null) return stay(state, [], [refuse(refusals)]);\n  const lease',
    replace: 'if (endsAt === null) return stay(state, [], [refuse(refusals)]);\n  const lease',
  },
  {
    name: 'a failing permissive sampled while connected is ignored',
    find: "return isolate(state, now, 'permissive-failed', policy);\n  return stay({ ...state, lease: {",
    replace: 'return stay(state);\n  return stay({ ...state, lease: {',
  },
  {
    name: 'the budget does not bound the lease',
    find: 'const endsAt = earlier(conditions.entitledUntil, later(now, conditions.budgetLeftMs));',
    replace: 'const endsAt = conditions.entitledUntil;',
  },
  {
    name: 'a spent budget does not refuse',
    find: '...(later(now, conditions.budgetLeftMs) <= now ? [budgetSpent] : []),',
    replace: '',
  },
  {
    name: 'a lease is granted while isolating',
    find: "if (state.at !== 'isolated') return stay(state, [], [refuse([refusalAt(state.at), ...refusalsOf(conditions, now)])]);",
    replace:
      "if (state.at !== 'isolated' && state.at !== 'isolating') return stay(state, [], [refuse([refusalAt(state.at), ...refusalsOf(conditions, now)])]);",
  },
  {
    name: 'stale proof still grants a lease',
    find: 'if (fresh(state.provenAt, now, policy)) return stay(state);\n      return stay(unproven',
    replace: 'if (true as boolean) return stay(state);\n      return stay(unproven',
  },
  {
    name: 'unknown evidence counts as isolated',
    find: "return position === 'isolated' ? stay(isolatedAt(asOf))",
    replace: "return position !== 'connected' ? stay(isolatedAt(asOf))",
  },
  {
    name: 'evidence from before the cut proves isolation',
    find: '      if (asOf <= state.cutAt) return stay(state);\n',
    replace: '',
  },
  {
    name: 'evidence taken in the instant of the cut proves isolation',
    find: '      if (asOf <= state.cutAt) return stay(state);\n',
    replace: '      if (asOf < state.cutAt) return stay(state);\n',
  },
  {
    name: 'evidence from before the cut proves a tripped link isolated',
    find: '  if (asOf <= (state.provenAt ?? state.cutAt)) return stay(state);\n  if (position',
    replace: '  if (position',
  },
  {
    name: 'evidence from before the connect counts as connected',
    find: ' || asOf <= state.since) return stay(state);',
    replace: ') return stay(state);',
  },
  {
    name: 'partial evidence keeps a link connected',
    find: "return position === 'connected' && evidence.whole ? stay({ ...state, seenAt: asOf })",
    replace: "return position === 'connected' ? stay({ ...state, seenAt: asOf })",
  },
  {
    name: 'unreadable evidence keeps a link connected for ever',
    find: "return fresh(state.seenAt, now, policy) ? stay(state) : isolate(state, now, 'evidence-lost', policy);",
    replace: 'return stay(state);',
  },
  {
    name: 'a dropped link keeps its lease',
    find: "      if (position === 'isolated') return isolate(state, now, 'connection-lost', policy);\n",
    replace: '',
  },
  {
    name: 'connecting waits for ever',
    find: "return now < state.giveUpAt ? stay(state) : isolate(state, now, 'connect-timeout', policy);",
    replace: 'return stay(state);',
  },
  {
    name: 'an unasked connection is shrugged off',
    find: '      return connectedUnasked(now, policy);',
    replace: '      return stay(state);',
  },
  {
    name: 'a missed deadline is not told',
    find: "return stay({ ...state, at: 'unproven', alarmed: true }, [], [alarm('isolation-unproven')]);",
    replace: "return stay({ ...state, at: 'unproven', alarmed: true });",
  },
  {
    name: 'a welded contact does not latch',
    find: "      if (state.lastSeen === 'connected') return stick(state.cutAt);\n      return stay({ ...state, at: 'unproven'",
    replace: "      return stay({ ...state, at: 'unproven'",
  },
  {
    name: 'isolating is given up after the first command',
    find: 'return stay(state, commandedAgain(state));',
    replace: 'return stay(state);',
  },
  {
    name: 'a reset without presence lifts the latch',
    find: '...(presence ? [] : [presenceMissing]), ',
    replace: '',
  },
  {
    name: 'a reset without proof lifts the latch',
    find: 'if (refusals.length > 0 || state.provenAt === null) return stay(state, [], [refuse(refusals)]); return stay(isolatedAt(state.provenAt)',
    replace:
      'if (!presence) return stay(state, [], [refuse(refusals)]); return stay(isolatedAt(state.provenAt ?? state.cutAt)',
  },
  {
    name: 'a latch wears off once isolation is proven',
    find: "if (position === 'isolated') return stay({ ...state, provenAt: asOf, lastSeen: position });",
    replace: "if (position === 'isolated') return stay(isolatedAt(asOf));",
  },
  {
    name: 'a lost holder keeps the link',
    find: "if (state.at === 'commissioning' || why === 'holder-gone') return isolate(state, now, why, policy);",
    replace: "if (state.at === 'commissioning' || why === 'holder-gone') return stay(state);",
  },
  {
    name: 'isolating forgets to cut',
    find: '    cuts: [{ why }],\n    acts: [tellOver(state.lease.id, why)',
    replace: '    cuts: [],\n    acts: [tellOver(state.lease.id, why)',
  },
  {
    name: 'a start believes the link isolated',
    find: 'latch === null ? unproven(now, policy, false)',
    replace: 'latch === null ? isolatedAt(now)',
  },
  {
    name: 'a start forgets the latch',
    find: ': { ...tripped(now, latch, policy), alarmed: false };',
    replace: ': unproven(now, policy, false);',
  },
  {
    name: 'a lost holder leaves by the proof test',
    find: "if (state.at === 'commissioning' || why === 'holder-gone') return isolate(state, now, why, policy); return leave(state, now, why, policy);",
    replace:
      "if (state.at === 'commissioning') return isolate(state, now, why, policy); return leave(state, now, why === 'holder-gone' ? 'released' : why, policy);",
  },
  {
    name: 'a lapsed lease leaves by the proof test',
    find: "return over === 'lease-ended' ? leave(state, now, over, policy) : isolate(state, now, over, policy);",
    replace: "return leave(state, now, 'lease-ended', policy);",
  },
  {
    name: 'a link that nobody sees connected is tested',
    find: "if (state.at === 'connecting' || !fresh(state.seenAt, now, policy)) return isolate(state, now, why, policy);",
    replace: "if (state.at === 'connecting') return isolate(state, now, why, policy);",
  },
  {
    name: 'a proof test begins without a cut',
    find: 'return stay(proving, [{ why, only: state.turn }], [tellOver(state.lease.id, why)]);',
    replace: 'return stay(proving, [], [tellOver(state.lease.id, why)]);',
  },
  {
    name: 'a proof test cuts another contact than the one whose turn it is',
    find: 'return stay(proving, [{ why, only: state.turn }], [tellOver(state.lease.id, why)]);',
    replace: "return stay(proving, [{ why, only: 'x' }], [tellOver(state.lease.id, why)]);",
  },
  {
    name: 'a proof test has no bound',
    find: 'return now < state.giveUpAt ? stay(state) : provingOver(state, now, policy);',
    replace: 'return stay(state);',
  },
  {
    name: 'the bound of a proof test moves with what is seen',
    find: 'const shown: Proving = { ...state, shownAt: state.shownAt ?? now, basis: alone.basis };',
    replace:
      'const shown: Proving = { ...state, giveUpAt: later(now, policy.isolateTimeoutMs), shownAt: state.shownAt ?? now, basis: alone.basis };',
  },
  {
    name: 'the others stay connected after the proof test',
    find: "return stay(isolating(now, 'proof-ended', policy), [{ why: 'proof-ended' }], acts);",
    replace:
      "return stay(isolating(now, 'proof-ended', policy), [{ why: 'proof-ended', only: state.contact }], acts);",
  },
  {
    name: 'a trip during a proof test is cut by one contact',
    find: "    case 'proving':\n      return { state: tripped(now, cause, policy), cuts, acts: [notDone(state)] };",
    replace:
      "    case 'proving':\n      return { state: tripped(now, cause, policy), cuts: [{ why: 'tripped', only: state.contact }], acts: [notDone(state)] };",
  },
  {
    name: 'a stop during a proof test waits for it',
    find: "if (state.at === 'proving') return cutShort(state, event.now, 'stopping', policy);",
    replace: "if (state.at === 'proving') return stay(state, [{ why: 'stopping', only: state.contact }]);",
  },
  {
    name: 'a failing permissive waits for the proof test',
    find: "return state.at === 'proving' ? cutShort(state, now, 'permissive-failed', policy) : isolate",
    replace: "return state.at === 'proving' ? stay(state) : isolate",
  },
  {
    name: 'evidence from before the cut of one contact proves it',
    find: 'if (alone.asOf <= state.cutAt || !fresh(alone.asOf, now, policy)) return stay(state);',
    replace: 'if (!fresh(alone.asOf, now, policy)) return stay(state);',
  },
  {
    name: 'unknown evidence of one contact counts as isolated',
    find: "  if (alone.position === 'unknown') return stay(state);\n  const shown",
    replace: '  const shown',
  },
  {
    name: 'a contact is proven while nobody knows where the others are',
    find: "const othersHold = alone.others === 'connected' && alone.othersAsOf >= (shown.shownAt ?? now);",
    replace: 'const othersHold = alone.othersAsOf >= (shown.shownAt ?? now);',
  },
  {
    name: 'others that were connected before isolation was shown are good enough',
    find: "const othersHold = alone.others === 'connected' && alone.othersAsOf >= (shown.shownAt ?? now);",
    replace: "const othersHold = alone.others === 'connected' && alone.othersAsOf >= state.cutAt;",
  },
  {
    name: 'another contact that lets go is not noticed',
    find: "if (alone.others === 'isolated' && alone.othersAsOf > state.cutAt)",
    replace: 'if (alone.othersAsOf === null)',
  },
  {
    name: 'evidence against a contact is not held against it',
    find: "if (alone.position === 'connected') return stay({ ...state, shownAt: null, basis: 'none' });",
    replace: "if (alone.position === 'connected') return stay(state);",
  },
  {
    name: 'evidence of another contact counts',
    find: 'if (alone.contact !== state.contact) return stay(state);',
    replace: '',
  },
  {
    name: 'a proof that failed is not told',
    find: "...(outcome === 'failed' ? [alarm('proof-failed')] : [])",
    replace: '',
  },
  {
    name: 'a proof that failed was not done',
    find: "endProof(state, now, state.shownAt === null ? 'failed' : 'not-done', policy);",
    replace: "endProof(state, now, 'not-done', policy);",
  },
  {
    name: 'a proof test is commanded once',
    find: "if (state.at === 'proving') return [{ why: 'again', only: state.contact }];",
    replace: "if (state.at === 'proving') return [];",
  },
  {
    name: 'commissioning begins whatever the state',
    find: "...(state.at === 'isolated' ? [] : [refusalAt(state.at)]), ...(event.presence",
    replace: '...(event.presence',
  },
  {
    name: 'commissioning begins while tripped',
    find: "...(state.at === 'isolated' ? [] : [refusalAt(state.at)]), ...(event.presence",
    replace:
      "...(state.at === 'isolated' || state.at === 'tripped' ? [] : [refusalAt(state.at)]), ...(event.presence",
  },
  {
    name: 'commissioning needs no presence',
    find: '...(event.presence ? [] : [commissioningPresenceMissing]),',
    replace: '',
  },
  {
    name: 'commissioning ignores what fails',
    find: '    ...event.failing,\n  ];',
    replace: '  ];',
  },
  {
    name: 'a session lives for ever',
    find: 'return over === null ? stay(state) : isolate(state, now, over, policy);',
    replace: 'return stay(state);',
  },
  {
    name: 'a renewal moves the end of a session',
    find: 'const lease = { ...state.lease, renewBy: later(now, policy.leaseTimeoutMs) };',
    replace:
      'const lease = { id: state.lease.id, endsAt: later(now, policy.commissioningMs), renewBy: later(now, policy.leaseTimeoutMs) };',
  },
  {
    name: 'anybody drives a contact',
    find: "if (state.at !== 'commissioning' || state.lease.id !== leaseId)",
    replace: "if (state.at !== 'commissioning')",
  },
  {
    name: 'a contact is driven outside of a session',
    find: "if (state.at !== 'commissioning' || state.lease.id !== leaseId)",
    replace: "if (state.at === 'commissioning' && state.lease.id !== leaseId)",
  },
  {
    name: 'a session that ends leaves what it connected',
    find: "if (isPermitted(state)) return isolate(state, event.now, 'stopping', policy);",
    replace:
      "if (isPermitted(state) && state.at !== 'commissioning') return isolate(state, event.now, 'stopping', policy);",
  },
  {
    name: 'a permissive that fails does not end a session',
    find: "if (state.at === 'commissioning' || state.at === 'proving') { if (conditions.failing.length === 0) return stay(state);",
    replace:
      "if (state.at === 'commissioning' || state.at === 'proving') { if (conditions.failing.length === 0 || state.at === 'commissioning') return stay(state);",
  },
  {
    name: 'what is seen during a session trips',
    find: "    case 'commissioning':\n      // Whatever is seen belongs to the procedure.\n      return stay(state);",
    replace:
      "    case 'commissioning':\n      return position === 'connected' ? connectedUnasked(now, policy) : stay(state);",
  },
];
