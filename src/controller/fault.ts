/** Why the controller cannot start, or a window cannot do its work. */
export type FaultCode =
  | 'RESTIC_MISSING'
  | 'RESTIC_TOO_OLD'
  | 'RESTIC_UNREADABLE'
  | 'SETPRIV_MISSING'
  | 'LEDGER_UNREADABLE'
  | 'STATE_UNWRITABLE'
  | 'LISTEN_FAILED'
  | 'SECRET_FILE'
  | 'CREDENTIALS_DIFFER'
  | 'NOT_REMOTE'
  | 'MOUNT_POINT'
  | 'MOUNT_FAILED'
  | 'VAULT_ABSENT'
  | 'OTHER_DEVICE'
  | 'ROUTE_ELSEWHERE';

/** A fault with a way out. */
export class ControllerFault extends Error {
  override readonly name = 'ControllerFault';
  readonly code: FaultCode;
  readonly hint: string;

  constructor(code: FaultCode, what: string, hint: string, cause?: unknown) {
    super(what, cause === undefined ? {} : { cause });
    this.code = code;
    this.hint = hint;
  }
}
