/** Faults planted into src/core/button.ts, one at a time. Each must be caught by the exploring test. */
export const mutants: readonly { readonly name: string; readonly find: string; readonly replace: string }[] =
  [
    {
      name: 'an edge of the released level is no press',
      find: "if (state.at !== 'pressed') return press(state, event, stillSince);",
      replace:
        "if (state.at !== 'pressed') return event.pressed ? press(state, event, stillSince) : stay(state);",
    },
    {
      name: 'an edge before the first reading is no press',
      find: "if (state.at !== 'pressed') return press(state, event, stillSince);",
      replace:
        "if (state.at === 'unknown') return stay(state);\n  if (state.at !== 'pressed') return press(state, event, stillSince);",
    },
    {
      name: 'a button that is in at the start does not trip',
      find: 'if (event.pressed) return press(state, event, null);',
      replace: 'if (event.pressed) return stay({ ...state, seenAt: now, stillSince: null });',
    },
    {
      name: 'a press without an edge is overlooked',
      find: 'return event.pressed ? press(state, event, null) : stay({ ...state, seenAt: now });',
      replace: 'return stay({ ...state, seenAt: now });',
    },
    {
      name: 'a device that comes back pressed does not trip',
      find: 'return event.pressed ? press(state, event, null) : stay(found(now));',
      replace: 'return stay(found(now));',
    },
    {
      name: 'a device that comes back is believed at once',
      find: 'return event.pressed ? press(state, event, null) : stay(found(now));',
      replace:
        "return event.pressed ? press(state, event, null) : stay({ at: 'released', seenAt: now, presentUntil: null });",
    },
    {
      name: 'bouncing is released at once',
      find: 'now - stillSince < debounceMs',
      replace: 'now < stillSince',
    },
    {
      name: 'bouncing does not start the stillness anew',
      find: 'return stay({ ...state, seenAt: event.now, stillSince });',
      replace: 'return stay({ ...state, seenAt: event.now, stillSince: state.stillSince ?? stillSince });',
    },
    {
      name: 'a pressed level does not end the stillness',
      find: 'if (event.pressed) return stay({ ...state, seenAt: now, stillSince: null });',
      replace: 'if (event.pressed) return stay({ ...state, seenAt: now });',
    },
    {
      name: 'the press that raised the alarm gives presence',
      find: "before.at === 'released' && latched;",
      replace: "before.at === 'released';",
    },
    {
      name: 'a mushroom that was in at the start gives presence',
      find: "before.at === 'released' && latched;",
      replace: 'latched;',
    },
    { name: 'a short press gives presence', find: 'heldMs < holdMs || ', replace: '' },
    {
      name: 'a mushroom that was left in gives presence',
      find: ' || heldMs > longestHoldMs',
      replace: '',
    },
    {
      name: 'a hold that was not seen from end to end gives presence',
      find: 'return { ...state, stillSince: null, gesture: false };',
      replace: 'return { ...state, stillSince: null };',
    },
    {
      name: 'a line that is lost stays released',
      find: "return { at: 'unknown', seenAt: state.seenAt, why, stillSince: null };",
      replace: 'return state;',
    },
    {
      name: 'presence does not end',
      find: 'state.presentUntil !== null && now < state.presentUntil',
      replace: 'state.presentUntil !== null',
    },
    {
      name: 'silence does not trip',
      find: "acts: [{ kind: 'trip', cause: 'dead', why }],",
      replace: 'acts: [],',
    },
    { name: 'silence trips again and again', find: "state.at === 'dead' || now", replace: 'now' },
    {
      name: 'silence while nobody looked trips',
      find: 'watchedSince > state.seenAt ? watchedSince : state.seenAt',
      replace: 'state.seenAt',
    },
    {
      name: 'a second press without a look in between is part of the first',
      find: "if (settled.at === 'released') {",
      replace: "if (settled.at === 'dead') {",
    },
    {
      name: 'the hold is counted to the end of the debouncing',
      find: 'const heldMs = stillSince - state.since;',
      replace: 'const heldMs = now - state.since;',
    },
  ];
