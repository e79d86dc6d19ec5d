import { pathsOf, type Tree } from './tree.ts';
import { isNode, nameOf, type Node, placesIn, stringOf } from './syntax.ts';

/** The page that has an entry per code. */
const PAGE = 'docs/faults.md';

/** Where codes are made. What the dashboard and the emulator name is for themselves; codes of contacts are parts of a sentence. */
const MAKERS = /^src\/(?!dashboard\/|emulator\/|contacts\/|demo\/).*\.ts$/;

/** What a code looks like: `kebab-case` or `UPPER_CASE`. */
const CODE = /^[a-z][a-z\d]*(-[a-z\d]+)*$|^[A-Z][A-Z\d]*(_[A-Z\d]+)*$/;

/** What small functions of a file give, by their names: those that are one expression. */
type Bodies = ReadonlyMap<string, unknown>;

const bodiesIn = (text: string): Bodies =>
  new Map(
    placesIn(text).flatMap(([node]) => {
      const init = node.type === 'VariableDeclarator' ? node['init'] : undefined;
      const name = nameOf(node['id']);
      return name !== undefined && isNode(init) && init.type === 'ArrowFunctionExpression'
        ? [[name, init['body']] as const]
        : [];
    }),
  );

/** Every string that an expression may come to: itself, the branches of a choice, what a small function gives. */
function stringsOf(node: unknown, bodies: Bodies): string[] {
  if (!isNode(node)) return [];
  if (node.type === 'ConditionalExpression')
    return [node['consequent'], node['alternate']].flatMap((each) => stringsOf(each, bodies));
  if (node.type === 'TSAsExpression' || node.type === 'ParenthesizedExpression')
    return stringsOf(node['expression'], bodies);
  if (node.type === 'CallExpression') {
    const body = bodies.get(nameOf(node['callee']) ?? '');
    return isNode(body) && body.type !== 'CallExpression' ? stringsOf(body, bodies) : [];
  }
  const value = stringOf(node);
  return value === undefined ? [] : [value];
}

/** What a function returns where its type calls one member of a tuple `code`. */
function returnedCodes(node: Node, text: string, bodies: Bodies): string[] {
  const returned = node['returnType'];
  const type = isNode(returned) ? returned['typeAnnotation'] : undefined;
  if (!isNode(type) || type.type !== 'TSTupleType') return [];
  const index = (type['elementTypes'] as Node[]).findIndex((member) => nameOf(member['label']) === 'code');
  if (index < 0) return [];
  return placesIn(text).flatMap(([each]) =>
    each.type === 'ArrayExpression' && each.start >= node.start && each.end <= node.end
      ? stringsOf((each['elements'] as Node[])[index], bodies)
      : [],
  );
}

/** The strings of a union of literal types. */
function membersOf(node: unknown): string[] {
  if (!isNode(node)) return [];
  if (node.type === 'TSUnionType') return (node['types'] as Node[]).flatMap(membersOf);
  const value = node.type === 'TSLiteralType' ? stringOf(node['literal']) : undefined;
  return value === undefined ? [] : [value];
}

/** The name under which something is called, and of which parameter it makes a code. */
type Takers = Map<string, number>;

function takersIn(text: string): Takers {
  const takers: Takers = new Map();
  const classes: string[] = [];
  for (const [node, parent] of placesIn(text)) {
    if (node.type === 'ClassDeclaration') classes.push(nameOf(node['id']) ?? '');
    const parameters = node['params'];
    if (!Array.isArray(parameters)) continue;
    const index = (parameters as Node[]).findIndex((parameter) => nameOf(parameter) === 'code');
    if (index < 0) continue;
    const named = nameOf(node['id']) ?? nameOf(parent?.['key']) ?? nameOf(parent?.['id']) ?? '';
    const taker = named === 'constructor' ? (classes.at(-1) ?? '') : named;
    if (taker !== '') takers.set(taker, index);
  }
  return takers;
}

function calledName(callee: unknown): string | undefined {
  if (!isNode(callee)) return undefined;
  return callee.type === 'MemberExpression' ? nameOf(callee['property']) : nameOf(callee);
}

/**
 * The codes that a person or a program may get to see, each with a place that makes it. By this rule: a string that is
 * the value of a property `code` or `alarm`; that is passed for a parameter, or returned as the member of a tuple, named `code`; that is a member of a type
 * whose name ends in `Code` or `Alarm`, or of `Why`, the reasons of a cut;
 * or that follows `fault:`, the author of a trip.
 */
export function codesMade(tree: Tree): Map<string, string> {
  const found = new Map<string, string>();
  const paths = pathsOf(tree, MAKERS);
  const takers: Takers = new Map(paths.flatMap((path) => [...takersIn(tree.get(path) ?? '')]));
  for (const path of paths) {
    const text = tree.get(path) ?? '';
    const bodies = bodiesIn(text);
    for (const [node] of placesIn(text)) {
      const codes = returnedCodes(node, text, bodies);
      if (node.type === 'Property' && /^(code|alarm)$/.test(nameOf(node['key']) ?? ''))
        codes.push(...stringsOf(node['value'], bodies));
      if (node.type === 'TSTypeAliasDeclaration' && /(Code|Alarm)$|^Why$/.test(nameOf(node['id']) ?? ''))
        codes.push(...membersOf(node['typeAnnotation']));
      if (node.type === 'NewExpression' || node.type === 'CallExpression') {
        const index = takers.get(calledName(node['callee']) ?? '');
        if (index !== undefined) codes.push(...stringsOf((node['arguments'] as Node[])[index], bodies));
      }
      const trip = /^fault:(.+)$/.exec(stringOf(node) ?? '')?.[1];
      if (trip !== undefined) codes.push(trip);
      for (const code of codes) if (CODE.test(code) && !found.has(code)) found.set(code, path);
    }
  }
  return found;
}

/** The codes that the page has a row for, in its order. */
function codesExplained(page: string): string[] {
  return [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code = '']) => code);
}

/** Whoever is shown a code finds what it means, and no entry is about a code that is gone. */
export function faultsAreExplained(tree: Tree): string[] {
  const explained = codesExplained(tree.get(PAGE) ?? '');
  const made = codesMade(tree);
  const twice = explained.filter((code, place) => explained.indexOf(code) !== place);
  return [
    ...[...made].flatMap(([code, path]) =>
      explained.includes(code) ? [] : [`${PAGE}: no entry for ${code} (${path})`],
    ),
    ...explained.flatMap((code) => (made.has(code) ? [] : [`${PAGE}: nobody makes ${code}`])),
    ...twice.map((code) => `${PAGE}: two entries for ${code}`),
  ];
}
