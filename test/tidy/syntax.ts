import { parseSync } from 'vite';

/** A node of the syntax tree; its fields are looked at, never trusted. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** One import of a module: what it names, and whether only types come from it. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const known = new Map<string, { readonly program: Node; readonly places: readonly Place[] }>();

/** A node with the one it stands in. */
export type Place = readonly [node: Node, parent: Node | undefined];

function read(text: string): { readonly program: Node; readonly places: readonly Place[] } {
  const plain = parseSync('a.ts', text);
  const error = plain.errors[0];
  // What is no plain TypeScript may be markup in TypeScript.
  if (error !== undefined) {
    const markup = parseSync('a.tsx', text);
    if (markup.errors.length === 0) return placed(markup.program as unknown as Node);
  }
  if (error !== undefined) throw new Error(`${error.message} in: ${text.slice(0, 200)}`);
  return placed(plain.program as unknown as Node);
}

function placed(program: Node): { readonly program: Node; readonly places: readonly Place[] } {
  const places: Place[] = [];
  const visit = (node: Node, parent: Node | undefined): void => {
    places.push([node, parent]);
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, node);
    }
  };
  visit(program, undefined);
  return { program, places };
}

function remembered(text: string): ReturnType<typeof read> {
  const found = known.get(text) ?? read(text);
  known.set(text, found);
  return found;
}

/** The statements of a TypeScript text. Throws when it is none. */
export function statementsOf(text: string): readonly Node[] {
  return remembered(text).program['body'] as Node[];
}

/** Every node of a TypeScript text, outer before inner. Throws when it is none. */
export function placesIn(text: string): readonly Place[] {
  return remembered(text).places;
}

/** Whether a value is a node of a syntax tree. */
export function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}

/** The value of a string literal, else undefined. */
export function stringOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Literal' && typeof node['value'] === 'string'
    ? node['value']
    : undefined;
}

/** The name of an identifier, else undefined. */
export function nameOf(node: unknown): string | undefined {
  return isNode(node) && (node.type === 'Identifier' || node.type === 'PrivateIdentifier')
    ? String(node['name'])
    : undefined;
}

function isTypeOnly(node: Node): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = (node['specifiers'] ?? []) as Node[];
  return (
    specifiers.length > 0 &&
    specifiers.every((specifier) => specifier['importKind'] === 'type' || specifier['exportKind'] === 'type')
  );
}

/** The imports of a text: static, re-exported, and dynamic. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const [node] of placesIn(text)) {
    if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) {
      const specifier = stringOf(node['source']);
      if (specifier !== undefined) found.push({ specifier, typeOnly: isTypeOnly(node) });
    } else if (node.type === 'ImportExpression' || node.type === 'TSImportType') {
      const specifier = stringOf(node['source']) ?? stringOf(node['argument']);
      if (specifier !== undefined) found.push({ specifier, typeOnly: node.type === 'TSImportType' });
    }
  }
  return found;
}

/** Every string in a text that could be the path of a TypeScript file: what is imported, and what is started. */
export function filesNamedIn(text: string): string[] {
  const found: string[] = [];
  for (const [node] of placesIn(text)) {
    const value = stringOf(node);
    if (value !== undefined && /\.tsx?$/.test(value)) found.push(value);
  }
  return found;
}

/** The line of a place in a text, from 1. */
export function lineAt(text: string, place: number): number {
  return text.slice(0, place).split('\n').length;
}
