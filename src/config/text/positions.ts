/** Where in the YAML text a value stands. */
import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Document,
  type LineCounter,
  type Node,
  type Pair,
} from 'yaml';

/** Keys and list indexes from the top of the file. */
export type Path = readonly (string | number)[];

export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** `links.vault.contacts[0].unit`; empty for the whole file. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

interface Found {
  readonly pair: Pair | null;
  readonly node: Node | null;
}

/** A parsed file that can say where things stand. */
export class Positions {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** True when something, even nothing in particular (`key:`), is written at `path`. */
  has(path: Path): boolean {
    return this.#find(path) !== null;
  }

  /** True when `path` is written without a value, as in `key:`. */
  isEmpty(path: Path): boolean {
    const node = this.#find(path)?.node;
    return node === null || (isScalar(node) && node.value === null);
  }

  /** Keys of the map at `path`; empty when it is none. */
  keys(path: Path): readonly string[] {
    const node = this.#find(path)?.node;
    return isMap(node) ? node.items.map((pair) => keyText(pair)) : [];
  }

  /** The value at `path`; when nothing is written there, the nearest thing around it. */
  ofValue(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const found = this.#find(path.slice(0, length));
      if (found === null) continue;
      if (length < path.length) return this.#place(isNode(found.pair?.key) ? found.pair.key : found.node);
      const beginsHere = found.node !== null && !(isScalar(found.node) && found.node.value === null);
      return this.#place(beginsHere ? found.node : isNode(found.pair?.key) ? found.pair.key : found.node);
    }
    return this.#place(this.#document.contents);
  }

  /** The key at the end of `path`. */
  ofKey(path: Path): Place {
    const key = this.#find(path)?.pair?.key;
    return isNode(key) ? this.#place(key) : this.ofValue(path);
  }

  /** The place of an offset into the text. */
  ofOffset(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #place(node: Node | null | undefined): Place {
    return this.ofOffset(node?.range?.[0] ?? 0);
  }

  #find(path: Path): Found | null {
    let found: Found = { pair: null, node: this.#resolve(this.#document.contents) };
    for (const part of path) {
      const { node } = found;
      if (!isCollection(node)) return null;
      if (isSeq(node)) {
        if (typeof part !== 'number' || part >= node.items.length) return null;
        found = { pair: null, node: this.#resolve(node.items[part]) };
      } else {
        const pair = isMap(node) ? node.items.find((item) => keyText(item) === String(part)) : undefined;
        if (pair === undefined) return null;
        found = { pair, node: this.#resolve(pair.value) };
      }
    }
    return found;
  }

  #resolve(node: unknown): Node | null {
    if (isAlias(node)) return node.resolve(this.#document) ?? null;
    return isNode(node) ? node : null;
  }
}

/** A map key as the parsed object spells it. */
export function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
