/** What a secret file holds: the secret on its first line and, while a secret is being replaced, the previous one on a second. */

/** The current secret and the previous one. */
export const MAX_SECRETS = 2;

export type SecretsFound =
  | { readonly ok: true; readonly secrets: readonly Uint8Array[] }
  | { readonly ok: false; readonly why: string };

const NEWLINE = 0x0a;
const BLANKS: ReadonlySet<number> = new Set([0x09, 0x0d, 0x20]);
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The secrets of a file, without blanks around them. Empty lines do not count. */
export function secretsIn(file: Uint8Array): SecretsFound {
  const start = BYTE_ORDER_MARK.every((byte, index) => file[index] === byte) ? BYTE_ORDER_MARK.length : 0;
  const secrets: Uint8Array[] = [];
  for (let from = start; from <= file.length;) {
    const newline = file.indexOf(NEWLINE, from);
    const to = newline === -1 ? file.length : newline;
    const line = trimmed(file.subarray(from, to));
    if (line.length > 0) secrets.push(line);
    from = to + 1;
  }
  if (secrets.length === 0) return { ok: false, why: 'it is empty' };
  if (secrets.length > MAX_SECRETS) {
    return {
      ok: false,
      why: `it has ${secrets.length} lines; the secret and the previous secret are all it may hold`,
    };
  }
  return { ok: true, secrets };
}

function trimmed(line: Uint8Array): Uint8Array {
  let from = 0;
  let to = line.length;
  while (from < to && BLANKS.has(line[from] ?? 0)) from += 1;
  while (to > from && BLANKS.has(line[to - 1] ?? 0)) to -= 1;
  return line.subarray(from, to);
}
