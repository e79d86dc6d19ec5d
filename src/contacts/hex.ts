/** Frames as people and profiles write them: pairs of capital hexadecimal digits with a space between. */

/** The bytes of `01 05 00 00 FF 00 8C 3A`, whose spelling has been checked. */
export const bytesOf = (frame: string): Buffer => Buffer.from(frame.replaceAll(' ', ''), 'hex');

/** Bytes as `01 05 00 00 FF 00 8C 3A`. */
export const spelledBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
