/**
 * Lines that are never typed, whoever asks for them: those that save the configuration, for a saved `connected` survives
 * every restart, and those that erase, restart or replace. Switches take any unambiguous beginning of a word for the word.
 */

const SAVES = ['write', 'copy', 'save', 'commit', 'archive', 'backup', 'export'];
const DESTROYS = ['erase', 'format', 'factory-reset', 'restore', 'load', 'install', 'upgrade'];
const RESTARTS = ['reload', 'reboot', 'restart', 'reset', 'boot'];
const VERBS = [...SAVES, ...DESTROYS, ...RESTARTS];
/** Words that save wherever they stand. */
const ANYWHERE = [
  'save',
  'write',
  'redirect',
  'append',
  'tee',
  'memory',
  'nvram:',
  'reboot',
  'factory-default',
];
/** Words that only say where the rest is carried out. */
const LEADING = ['do', 'run', 'sudo', 'no', 'undo'];
/** Signs that begin a second command, or send output into a file. */
const SIGNS = /[;&>`]/;

/** Why a line must not be typed, or `null`. `stores`: plain `commit` is let through, for a shut port may be stored. */
export function forbiddenLine(line: string, stores = false): string | null {
  if (SIGNS.test(line)) return 'it begins a second command or writes into a file';
  const words = line.toLowerCase().split(/\s+/).filter(Boolean);
  const first = words.findIndex((word) => !LEADING.includes(word));
  const verb = (words[first] ?? '').replace(/^[/:]+/, '');
  if (verb === 'commit') {
    if (words[first + 1] === 'confirmed' || (stores && words.length === first + 1)) return null;
    return 'it stores the change; only commit confirmed takes it back by itself';
  }
  // Junos takes a port out of `disable` with this verb; elsewhere it deletes files.
  if (verb === 'delete' && words[first + 1] !== 'interfaces') return 'it deletes';
  const meant = verb === '' ? undefined : VERBS.find((each) => each.startsWith(verb));
  if (meant !== undefined) return `a switch takes "${verb}" for ${meant}`;
  const saving = words.find((word) => ANYWHERE.includes(word));
  return saving === undefined ? null : `"${saving}" saves or restarts`;
}
