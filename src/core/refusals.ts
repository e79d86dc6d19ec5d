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
  hint: 'wait for the next one (`portcullis window list`) or run it at the box with `portcullis window run NAME`',
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
  why: 'the link was tripped again while this reset was being recorded',
  hint: 'look at the newest `link.tripped` in `portcullis journal tail`, then reset again',
};

export const resetUnproven: Refusal = {
  code: 'isolation-unproven',
  why: 'isolation is not proven, so the latch stays',
  hint: 'make a contact or witness of this link readable again, or pull the cable; see `portcullis status`',
};
