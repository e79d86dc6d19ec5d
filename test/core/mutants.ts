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
    replace:
      "if (state.at !== 'connecting' && state.at !== 'connected') return stay(state, [], [refuse([leaseUnknown])]);",
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
    find: "return commandedIsolatedUnproven(state) ? stay(state, [{ why: 'again' }]) : stay(state);",
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
    find: 'return holds(state, event.leaseId) ? isolate(state, event.now, event.why, policy) : stay(state);',
    replace:
      "return holds(state, event.leaseId) && event.why === 'released' ? isolate(state, event.now, event.why, policy) : stay(state);",
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
];
