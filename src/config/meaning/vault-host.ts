/** The machine that a repository's address names: for the way to it. */
const HOST = /^(?:rest|s3|sftp):(?:https?:)?(?:\/\/)?(?:[^@/\s]*@)?(?:\[([0-9a-fA-F:.]+)\]|([^:/\s[\]]+))/;

/** Host of a rest:, s3: or sftp: address as it is written there; `null` where the address names none. */
export function vaultHost(url: string): string | null {
  const [, six, host] = HOST.exec(url) ?? [];
  return six ?? host ?? null;
}

/** Path of a repository on a disk, or `null` for one that is elsewhere. */
export function vaultPath(url: string): string | null {
  const path = url.replace(/^local:/, '');
  return path.startsWith('/') ? path : null;
}
