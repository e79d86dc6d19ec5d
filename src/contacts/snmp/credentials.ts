/** Reads SNMP credentials from their files. Nothing of them is ever printed. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Credentials } from './dialect.ts';
import { type AuthProtocol, MIN_PASSWORD_BYTES, type PrivacyProtocol } from './usm.ts';

/** Where credentials are, as the configuration says. */
export type CredentialFiles =
  | { readonly version: '2c'; readonly community_file: string }
  | {
      readonly version: '3';
      readonly user: string;
      readonly auth: AuthProtocol;
      readonly auth_key_file: string;
      readonly privacy: PrivacyProtocol;
      readonly privacy_key_file: string;
    };

/** Longest secret, bytes. */
export const MAX_SECRET_BYTES = 1024;

/** Reads the files now. Rejects with an Error that names the file and what to do. */
export async function readCredentials(files: CredentialFiles): Promise<Credentials> {
  switch (files.version) {
    case '2c':
      return { version: '2c', community: await readSecret(files.community_file, 1) };
    case '3': {
      const { user: name, auth, privacy } = files;
      // A key of SHA-1 is too short for AES-256, and makers lengthen it in two different ways.
      if (auth === 'sha' && privacy === 'aes256')
        throw new Error('`privacy: aes256` needs `auth: sha256` or `auth: sha512`, or take `privacy: aes`');
      const authPassword = await readSecret(files.auth_key_file, MIN_PASSWORD_BYTES);
      const privacyPassword = await readSecret(files.privacy_key_file, MIN_PASSWORD_BYTES);
      return { version: '3', user: { name, auth, authPassword, privacy, privacyPassword } };
    }
  }
}

/** The file's content without the line end that editors add. */
async function readSecret(path: string, leastBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(MAX_SECRET_BYTES + 2);
  let length = 0;
  try {
    // A pipe or a device is not waited for.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      length = (await handle.read(bytes, 0, bytes.length, 0)).bytesRead;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    throw new Error(`the secret in ${path.slice(0, 80)} cannot be read (${code})`, { cause: error });
  }
  const text = bytes.subarray(0, length);
  const end = text.at(-1) === 0x0a ? (text.at(-2) === 0x0d ? length - 2 : length - 1) : length;
  const secret = text.subarray(0, end);
  if (secret.length < leastBytes || secret.length > MAX_SECRET_BYTES) {
    throw new Error(
      `the secret in ${path.slice(0, 80)} has ${secret.length} bytes; ${leastBytes} to ${MAX_SECRET_BYTES} are needed`,
    );
  }
  return secret;
}
