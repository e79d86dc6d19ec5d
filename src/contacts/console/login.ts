/** Who logs in. Secrets are read from their files when a switch asks for them, and never stand in a message. */
import { readFile } from 'node:fs/promises';
import { errorCode } from '../witnesses/reading.ts';

/** Most bytes of a password file. */
const MAX_SECRET_BYTES = 1024;

/** The configuration of a login; paths only. */
export interface LoginSettings {
  readonly username?: string;
  readonly password_file?: string;
  readonly enable_password_file?: string;
}

/** A secret, or why there is none. */
export type Secret =
  | { readonly kind: 'secret'; readonly text: string }
  | { readonly kind: 'missing'; readonly why: string };

/** What a session may ask for. Never rejects. */
export interface Login {
  readonly username: string | null;
  /** `what`: the password of the login, or of the privileged mode (the login's own where no other is configured). */
  readonly secret: (what: 'login' | 'privilege') => Promise<Secret>;
}

/** A login that reads its files whenever it is asked. */
export function fileLogin(settings: LoginSettings): Login {
  return {
    username: settings.username ?? null,
    secret: (what) => {
      const path =
        what === 'privilege'
          ? (settings.enable_password_file ?? settings.password_file)
          : settings.password_file;
      const key = what === 'privilege' ? 'enable_password_file' : 'password_file';
      if (path === undefined) {
        return Promise.resolve({
          kind: 'missing',
          why: `the switch asks for a password; name a file in login.${key} of the bus`,
        });
      }
      return secretIn(path);
    },
  };
}

async function secretIn(path: string): Promise<Secret> {
  const missing = (why: string): Secret => ({ kind: 'missing', why: `the password file ${path} ${why}` });
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_SECRET_BYTES) return missing(`is longer than ${MAX_SECRET_BYTES} bytes`);
    const [text = ''] = bytes.toString('utf8').split(/\r?\n/, 1);
    // What is no printable ASCII would be typed as keys, which do other things.
    if (!/^[\u0020-\u007E]*$/.test(text)) return missing('holds characters that cannot be typed');
    return { kind: 'secret', text };
  } catch (error) {
    return missing(`could not be read (${errorCode(error)})`);
  }
}
