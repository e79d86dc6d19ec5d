/** Reads YAML strictly and keeps the places of everything in it. */
import {
  isMap,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type ErrorCode,
  type Node,
  type YAMLError,
} from 'yaml';
import { keyText, Positions, type Path } from './positions.ts';
import { problemAt, quoted, type Problem } from './problems.ts';

/** A file as written, before any schema. */
export interface Written {
  /** Plain values; `undefined` when the text is too broken to look further. */
  readonly file: unknown;
  readonly positions: Positions;
  readonly problems: readonly Problem[];
}

/** Guards against files that unfold to something huge. */
const MOST_ALIASES = 100;

const HINTS: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'remove one of the two; nothing says which one counts',
  TAB_AS_INDENT: 'indent with blanks, never with tabs',
  BAD_INDENT: 'align it with its neighbours',
  MULTIPLE_DOCS: 'remove the line "---" and what follows it: the configuration is one document',
  NON_STRING_KEY: 'write the key as plain text',
};

/** Parses `text`. Never throws. */
export function readYaml(text: string): Written {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    logLevel: 'error',
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
  });
  const positions = new Positions(document, lines);
  const error = (path: Path, offset: number, what: string, hint: string): Problem =>
    problemAt('error', path, positions.ofOffset(offset), what, hint);
  const problems = [...document.errors, ...document.warnings].map((fault) =>
    error(
      pathAt(document.contents, fault.pos[0]),
      fault.pos[0],
      MESSAGES[fault.code] ?? fault.message,
      HINTS[fault.code] ?? SYNTAX_HINT,
    ),
  );
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const [from] = rangeOf(alias);
      const what = `no anchor is called ${quoted(alias.source)}`;
      problems.push(error(pathAt(document.contents, from), from, what, 'write the value out'));
    },
    Pair(_, pair) {
      if (keyText(pair) !== '__proto__') return;
      problems.push(error([], rangeOf(pair.key)[0], 'a key must not be called __proto__', 'remove it'));
    },
  });
  const readable = (fault: YAMLError): boolean => fault.code === 'DUPLICATE_KEY';
  if (!document.errors.every(readable)) return { file: undefined, positions, problems };
  try {
    return { file: document.toJS({ maxAliasCount: MOST_ALIASES }), positions, problems };
  } catch (failure) {
    // Aliases without anchors have been reported; too many of them have not.
    if (problems.length > 0) return { file: undefined, positions, problems };
    const what = failure instanceof Error ? failure.message : String(failure);
    const problem = error([], 0, what, 'write the value out instead of using an alias');
    return { file: undefined, positions, problems: [...problems, problem] };
  }
}

/** Where the parser's own words would not help. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'this key is there twice',
  MULTIPLE_DOCS: 'a second document begins here',
  NON_STRING_KEY: 'this key is not plain text',
};

const SYNTAX_HINT = 'mend the YAML here; what the file means is checked after that';

const NOWHERE = [0, -1] as const;
function rangeOf(node: unknown): readonly [number, number] {
  const range = (node as Node | null | undefined)?.range;
  return range === null || range === undefined ? NOWHERE : [range[0], range[2]];
}
const holds = (node: unknown, offset: number): boolean => {
  const [from, to] = rangeOf(node);
  return offset >= from && offset < to;
};

/** The innermost key or list entry around an offset. */
function pathAt(node: unknown, offset: number): Path {
  if (isMap(node)) {
    const pair = node.items.find((item) => holds(item.key, offset) || holds(item.value, offset));
    return pair === undefined
      ? []
      : [keyText(pair), ...(holds(pair.value, offset) ? pathAt(pair.value, offset) : [])];
  }
  if (isSeq(node)) {
    const index = node.items.findIndex((item) => holds(item, offset));
    return index === -1 ? [] : [index, ...pathAt(node.items[index], offset)];
  }
  return [];
}
