import type { Refusal, State } from './link.ts';

/** Why no lease is granted in a state. Only `isolated` grants; the text names the way out. */
export function refusalAt(at: Exclude<State['at'], 'isolated'>): Refusal {
  switch (at) {
    case 'unproven':
      return {
        code: 'isolation-unproven',
        why: 'the last isolation of this link is not proven',
        hint: 'look at the contacts and witnesses in `portcullis status`; the link is told to isolate until one of them answers',
      };
    case 'connecting':
    case 'connected':
      return {
        code: 'lease-held',
        why: 'somebody else holds the lease of this link',
        hint: 'wait until the running window has ended',
      };
    case 'commissioning':
      return {
        code: 'commissioning',
        why: 'a person at the box is commissioning the link',
        hint: 'wait until that session has ended; it lasts 30 minutes at most',
      };
    case 'proving':
    case 'isolating':
      return {
        code: 'isolating',
        why: 'the link is being isolated and that is not proven yet',
        hint: 'ask again in a moment',
      };
    case 'tripped':
      return {
        code: 'tripped',
        why: 'the link was tripped and is latched',
        hint: 'find out why, then reset it at the box: `portcullis reset LINK --reason TEXT`',
      };
    case 'stuck':
      return {
        code: 'stuck',
        why: 'the link was told to isolate and still reads connected: a welded contact or a lying board',
        hint: 'pull the cable by hand, repair the contact, then `portcullis reset LINK --reason TEXT`',
      };
  }
}

export const outsideWindow: Refusal = {
  code: 'outside-window',
  why: 'no window of this link is in progress',
  hint: 'wait for the next one (`portcullis window list`), run it at the box with `portcullis window run NAME`, or for a restore ask for a session with `portcullis attend LINK`',
};

export const stopping: Refusal = {
  code: 'stopping',
  why: 'the interlock is being stopped and isolates everything',
  hint: 'ask again when it has been started',
};

export const holderGone: Refusal = {
  code: 'holder-gone',
  why: 'whoever asked for the lease closed the stream before it was granted',
  hint: 'ask again and keep the stream',
};

/** `name` as given, bounded and escaped. */
export const linkUnknown = (name: string): Refusal => ({
  code: 'link-unknown',
  why: `there is no link ${name}`,
  hint: 'see `portcullis status`',
});

export const budgetSpent: Refusal = {
  code: 'budget-spent',
  why: 'the exposure budget of the last 24 hours is spent',
  hint: 'wait until older exposure is more than 24 hours ago, or raise exposure_budget in the configuration',
};

export const leaseUnknown: Refusal = {
  code: 'lease-over',
  why: 'there is no such lease, or it has ended',
  hint: 'ask for a new lease; the link was isolated when the old one ended',
};

export const notLatched: Refusal = {
  code: 'not-latched',
  why: 'the link is not tripped',
  hint: 'nothing needs a reset',
};

export const presenceMissing: Refusal = {
  code: 'presence-missing',
  why: 'a reset needs presence',
  hint: 'run `portcullis reset` as root on the box itself, hold its button (`button.hold`), or have two people give their codes: --approve NAME:CODE twice',
};

export const commissioningPresenceMissing: Refusal = {
  code: 'presence-missing',
  why: 'commissioning needs presence',
  hint: 'run `portcullis commission LINK` as root on the box itself',
};

export const trippedAgain: Refusal = {
  code: 'tripped-again',
  why: 'the link was tripped while this was being recorded',
  hint: 'look at the newest `link.tripped` in `portcullis journal tail`, then ask again',
};

export const resetUnproven: Refusal = {
  code: 'isolation-unproven',
  why: 'isolation is not proven, so the latch stays',
  hint: 'make a contact or witness of this link readable again, or pull the cable; see `portcullis status`',
};

/** What of all this is asked from afar needs one of three rights; `what` begins the sentence, `atTheBox` is the command. */
const needsPresence = (what: string, atTheBox: string): Refusal => ({
  code: 'presence-missing',
  why: `${what} needs presence, or two people`,
  hint: `run \`${atTheBox}\` as root on the box itself, hold its button (\`button.hold\`), or have two people give their codes`,
});

export const sessionPresenceMissing: Refusal = needsPresence(
  'an attended session',
  'portcullis attend LINK --for 30m --reason TEXT',
);

/** Whose codes count is the window's own rule. */
export const runPresenceMissing = (codesCount: boolean): Refusal =>
  codesCount
    ? needsPresence('running a window by hand', 'portcullis window run NAME')
    : { ...windowNeedsPresence, code: 'presence-missing', why: 'running this window by hand needs presence' };

/** `by` as given, bounded and escaped. */
export const sessionOpen = (by: string): Refusal => ({
  code: 'session-open',
  why: `an attended session of ${by} is in progress on this link`,
  hint: 'wait until it has ended, or end it (`portcullis attend LINK --end`)',
});

export const sessionTooLong = (longestMs: number): Refusal => ({
  code: 'session-too-long',
  why:
    longestMs > 0
      ? `an attended session of this link lasts ${Math.floor(longestMs / 1_000)} s at most`
      : 'this link takes no attended sessions',
  hint: 'ask for less, or raise `attended.longest` of the link in the configuration',
});

export const sessionOver: Refusal = {
  code: 'session-over',
  why: 'there is no such attended session on this link, or it has ended',
  hint: 'begin another one; the link was isolated when it ended',
};

export const sessionAtTheBox: Refusal = {
  code: 'session-at-the-box',
  why: 'this attended session was begun at the box, and its lease is held there',
  hint: 'hold it where it was begun (`portcullis attend`), or begin one with two codes or the button',
};

export const windowRunsNever: Refusal = {
  code: 'by-hand-never',
  why: 'this window is configured never to be run by hand',
  hint: 'wait for its schedule (`portcullis window list`), or change `by_hand` of the window in the configuration',
};

export const windowNeedsPresence: Refusal = {
  code: 'by-hand-presence',
  why: 'codes do not count for this window: it is run by hand only by somebody at the box',
  hint: 'run `portcullis window run NAME` as root on the box itself, hold its button, or set `by_hand: approved`',
};

export const windowOpen: Refusal = {
  code: 'window-open',
  why: 'this window is in progress, or waits for its jitter',
  hint: 'wait until it has ended',
};
