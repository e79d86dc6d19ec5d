/** Faults planted into src/core/lamps.ts, one at a time. Each must be caught by the table or the promises. */
export const mutants: readonly { readonly name: string; readonly find: string; readonly replace: string }[] =
  [
    {
      name: 'one isolated link is enough',
      find: "facts.links.length > 0 && facts.links.every(isIsolated) ? 'lit' : 'dark'",
      replace: "facts.links.some(isIsolated) ? 'lit' : 'dark'",
    },
    {
      name: 'a box without links is isolated',
      find: "facts.links.length > 0 && facts.links.every(isIsolated) ? 'lit' : 'dark'",
      replace: "facts.links.every(isIsolated) ? 'lit' : 'dark'",
    },
    {
      name: 'isolated blinks while something is not known',
      find: "facts.links.length > 0 && facts.links.every(isIsolated) ? 'lit' : 'dark'",
      replace: "facts.links.length > 0 && facts.links.every(isIsolated) ? 'lit' : 'slow-blink'",
    },
    {
      name: 'old proof is enough',
      find: "return proven && observed === 'isolated';",
      replace: 'return proven;',
    },
    {
      name: 'what is seen is enough',
      find: "return proven && observed === 'isolated';",
      replace: "return observed === 'isolated';",
    },
    {
      name: 'a stuck link is believed again',
      find: "case 'stuck': case 'unproven': case 'connecting':",
      replace: "case 'stuck': return proven && observed === 'isolated'; case 'unproven': case 'connecting':",
    },
    {
      name: 'a proof test counts as isolated',
      find: "case 'tripped': return proven && observed === 'isolated';",
      replace: "case 'tripped': case 'proving': return observed === 'isolated';",
    },
    {
      name: 'an unasked connection is like any other',
      find: "return observed === 'connected'; case 'connecting':",
      replace: "return false; case 'connecting':",
    },
    {
      name: 'a link that is not known is not connected',
      find: "links.length > 0 && links.every(isIsolated) ? 'dark' : 'slow-blink'",
      replace: "'dark'",
    },
    {
      name: 'a latch without proof is quiet',
      find: "if (!latched.every(isIsolated)) return 'fast-blink';",
      replace: '',
    },
    {
      name: 'presence without a latch is shown',
      find: "if (latched.length === 0) return 'dark';",
      replace: "if (latched.length === 0) return present ? 'slow-blink' : 'dark';",
    },
    {
      name: 'a dead button beats a stuck link',
      find: "if (links.some((link) => link.at === 'stuck' || link.overdue || isUnasked(link))) return 'fast-blink';",
      replace:
        "if (button !== 'dead' && links.some((link) => link.at === 'stuck' || link.overdue || isUnasked(link))) return 'fast-blink';",
    },
    {
      name: 'a proof that is overdue is no fault',
      find: "link.at === 'stuck' || link.overdue ||",
      replace: "link.at === 'stuck' ||",
    },
    {
      name: 'an unasked connection is no fault',
      find: 'link.overdue || isUnasked(link)',
      replace: 'link.overdue',
    },
    { name: 'a dead button is no fault', find: "button === 'dead' ||", replace: '' },
    { name: 'an unknown button is no fault', find: "button === 'unknown' ||", replace: '' },
    {
      name: 'a journal that cannot be written is no fault',
      find: "|| !journalWritable) return 'slow-blink'",
      replace: ") return 'slow-blink'",
    },
    { name: 'a lamp that fails is no fault', find: 'lampFailing || links', replace: 'links' },
    {
      name: 'a refusing permissive is no fault',
      find: 'lampFailing || links.some(({ refused }) => refused)',
      replace: 'lampFailing',
    },
    { name: 'the lamp test shows nothing', find: 'if (facts.testing)', replace: 'if (false)' },
    { name: 'steady lamps blink', find: 'steady || Math.floor(now / SLOW', replace: 'Math.floor(now / SLOW' },
    { name: 'fast is slow', find: 'const FAST_HALF_MS = 250;', replace: 'const FAST_HALF_MS = 1_000;' },
  ];
