/** Types of file whose content looks like random data when nothing is wrong with it. Pure. */

/** Types that are told by their first bytes. Offset, bytes; Latin-1. */
const MAGIC: readonly (readonly [extensions: string, offset: number, bytes: string])[] = [
  ['jpg jpeg jpe jfif', 0, '\xff\xd8\xff'],
  ['png', 0, '\x89PNG\r\n'],
  ['gif', 0, 'GIF8'],
  ['webp avi', 8, 'WEBP'],
  ['avi', 8, 'AVI '],
  ['zip docx xlsx pptx odt ods odp odg epub jar apk', 0, 'PK\x03\x04'],
  ['gz tgz', 0, '\x1f\x8b\x08'],
  ['bz2 tbz2', 0, 'BZh'],
  ['xz txz', 0, '\xfd7zXZ\0'],
  ['zst tzst', 0, '\x28\xb5\x2f\xfd'],
  ['lz4', 0, '\x04\x22\x4d\x18'],
  ['7z', 0, "7z\xbc\xaf'\x1c"],
  ['rar', 0, 'Rar!\x1a\x07'],
  ['pdf', 0, '%PDF-'],
  ['mp4 m4a m4v mov heic heif avif 3gp', 4, 'ftyp'],
  ['mkv webm', 0, '\x1a\x45\xdf\xa3'],
  ['ogg oga opus ogv', 0, 'OggS'],
  ['flac', 0, 'fLaC'],
  ['cab', 0, 'MSCF'],
  ['woff', 0, 'wOFF'],
  ['woff2', 0, 'wOF2'],
  ['wmv wma', 0, '\x30\x26\xb2\x75'],
  ['dmg', 0, 'koly'],
];

/** Types whose first bytes say nothing that can be relied on. */
const WITHOUT_MAGIC =
  'mp3 aac m2ts ts mpg mpeg raw cr2 cr3 nef arw dng orf rw2 raf gpg pgp age asc kdbx hc tc luks aes enc p12 pfx lzma lz br deb rpm iso img qcow2 vmdk vdi sqfs squashfs jxl mpq pack xpi crx whl dat.gz lrz lzo z';

const CHECKED = new Set(MAGIC.flatMap(([extensions]) => extensions.split(' ')));
const UNCHECKED = new Set(WITHOUT_MAGIC.split(' '));

/** Suffixes that programs and people put behind a name without changing what it is. */
const SUFFIXES = new Set(['bak', 'old', 'orig', 'tmp', 'part', 'swp', 'new', 'save', 'copy', 'dist', 'log']);

/** Longest extension; whatever is longer is a part of the name. */
const LONGEST_EXTENSION = 16;
const NUMBER = /^\d+$/;

/** The last part of a name behind a dot, in small letters; empty without one. Numbers of rotated files are passed over. */
export function extensionOf(path: string): string {
  const parts = nameOf(path).split('.');
  while (parts.length > 2 && NUMBER.test(parts.at(-1) ?? '')) parts.pop();
  const last = parts.length > 1 ? (parts.at(-1) ?? '') : '';
  return last.length > LONGEST_EXTENSION || NUMBER.test(last) || (parts[0] === '' && parts.length === 2)
    ? ''
    : last.toLowerCase();
}

/** A name without what stands behind its last dot. */
export function stemOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? name : name.slice(0, dot);
}

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** True when files of such a name are compressed or encrypted by their nature. */
export const isDenseType = (extension: string): boolean => CHECKED.has(extension) || UNCHECKED.has(extension);

/** True when everybody knows such a suffix. */
export const isHarmlessSuffix = (extension: string): boolean => SUFFIXES.has(extension);

/** What the name says, what the first bytes say. */
export type TypeWord = 'dense' | 'not-what-its-name-says' | 'plain';

/** `dense`: random-looking by its nature. The first bytes count more than the name where the name promises some. */
export function typeOf(path: string, head: Uint8Array): TypeWord {
  const extension = extensionOf(path);
  const text = Buffer.from(head.subarray(0, 16)).toString('latin1');
  const isDense = MAGIC.some(([, offset, bytes]) => text.startsWith(bytes, offset));
  if (isDense || UNCHECKED.has(extension)) return 'dense';
  return CHECKED.has(extension) ? 'not-what-its-name-says' : 'plain';
}

/** Bits per byte, 0 to 8. */
export function entropyOf(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  return bits;
}
