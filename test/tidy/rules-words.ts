import { lineAt, nameOf, placesIn, stringOf, type Node } from './syntax.ts';
import { pathsOf, type Tree } from './tree.ts';

/** Drivers and boards speak the words of their devices; everybody else speaks those of design section 1. */
const MAY_SPEAK_OF_COILS = /^src\/(contacts|emulator)\//;

/** States that mean one thing on a relay and the opposite on a window. */
const STATE = /^(open|close|closed|on|off|up|down|enabled|disabled)$/;

/** Names that say such a state or switch something into it. */
const SWITCHING =
  /^(is|was|be|turn|switch|set)(Open|Closed?|On|Off|Up|Down)$|(Link|Contact|Relay|Vault|Gate)(Open|Closed?|On|Off|Up|Down)(ed)?$|^(open|close)(Link|Contact|Relay|Vault|Gate)/;

const ENABLING = /^(enabled?|disabled?)$|^(enable|disable)[A-Z]|(Enabled|Disabled)$/;

const DECLARING = /Declaration$|Declarator$|Definition$|^TS(Property|Method)Signature$/;

function declaredName(node: Node, parent: Node | undefined): string | undefined {
  const declares =
    DECLARING.test(parent?.type ?? '') && (parent?.['id'] === node || parent?.['key'] === node);
  return declares ? (nameOf(node) ?? stringOf(node)) : undefined;
}

function isStateOfType(node: Node, parent: Node | undefined): boolean {
  return parent?.type === 'TSLiteralType' && STATE.test(stringOf(node) ?? '');
}

/** Open/close, on/off, up/down, enable/disable name no state outside drivers. */
export function wordsHaveOneMeaning(tree: Tree): string[] {
  const found: string[] = [];
  for (const path of pathsOf(tree, /^src\/.*\.tsx?$/)) {
    if (MAY_SPEAK_OF_COILS.test(path)) continue;
    const text = tree.get(path) ?? '';
    for (const [node, parent] of placesIn(text)) {
      const name = declaredName(node, parent) ?? '';
      if (SWITCHING.test(name) || ENABLING.test(name)) {
        found.push(
          `${path}:${lineAt(text, node.start)}: '${name}': say connected, isolated, or what it means`,
        );
      }
      if (isStateOfType(node, parent)) {
        found.push(`${path}:${lineAt(text, node.start)}: the state '${stringOf(node)}' has two meanings`);
      }
    }
  }
  return found;
}
