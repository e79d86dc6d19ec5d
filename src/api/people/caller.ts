/** Who asks, and what that allows. Nothing here connects anything: that is verified by the interlock. */
import type { Ability, Role, Scope } from '../documents/people.ts';

/** Whoever sent a request. */
export type Caller =
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'person';
      readonly name: string;
      readonly role: Role;
      readonly session: CallerSession;
    }
  | {
      readonly kind: 'token';
      readonly id: string;
      readonly label: string;
      readonly scopes: readonly Scope[];
      /** Set when a browser holds it (a wall display) rather than a program. */
      readonly session: CallerSession | null;
    };

/** How long a login lasts still, ms. */
export interface CallerSession {
  readonly id: string;
  /** 0 when it is over for everything but the cut; null when it has no idle end. */
  readonly idleEndsInMs: number | null;
  readonly endsInMs: number;
}

/** Who may ask for a route: anyone, anyone who is known, anyone with an ability, or a person for himself. */
export type Who = 'anyone' | 'known' | 'person' | Ability;

const OF_ROLE: Readonly<Record<Role, readonly Ability[]>> = {
  viewer: ['read', 'metrics', 'trip'],
  operator: ['read', 'metrics', 'trip', 'operate'],
  approver: ['read', 'metrics', 'trip', 'operate', 'administer'],
};

/** What a caller may do. A login whose idle end has come may still cut. */
export function abilitiesOf(caller: Caller): readonly Ability[] {
  switch (caller.kind) {
    case 'nobody':
      return [];
    case 'person':
      return caller.session.idleEndsInMs === 0 ? ['trip'] : OF_ROLE[caller.role];
    case 'token':
      return caller.scopes;
  }
}

/** True when the caller may ask for it. */
export function isAllowed(caller: Caller, who: Who): boolean {
  if (who === 'anyone') return true;
  if (who === 'known') return caller.kind !== 'nobody';
  if (who === 'person') return caller.kind === 'person' && caller.session.idleEndsInMs !== 0;
  return abilitiesOf(caller).includes(who);
}

/** Whoever did it, as the journal names actors. */
export const actorOf = (caller: Caller): string =>
  caller.kind === 'token' ? `token:${caller.label}` : `person:${nameOf(caller)}`;

/** The name under which the interlock and the journal know a caller. */
export function nameOf(caller: Caller): string {
  switch (caller.kind) {
    case 'nobody':
      return 'nobody';
    case 'person':
      return caller.name;
    case 'token':
      return `token ${caller.label}`;
  }
}
