/** What the schema knows about a place in the file: the keys that may stand there, and what they are for. */
import { z } from 'zod';
import type { Path } from './text/positions.ts';
import { configSchema } from './schema.ts';

type Shape = z.core.JSONSchema.BaseSchema;

const root: Shape = z.toJSONSchema(configSchema, { io: 'input' });

const isShape = (value: unknown): value is Shape => typeof value === 'object' && value !== null;
const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (group: unknown, key: string): unknown =>
  isGroup(group) && Object.hasOwn(group, key) ? group[key] : undefined;

/** The branches of a union that what is written could mean; all of them when it does not say which. */
function branches(shape: Shape, written: unknown): readonly Shape[] {
  const options = [...(shape.oneOf ?? []), ...(shape.anyOf ?? [])].filter(isShape);
  if (options.length === 0) return [shape];
  const meant = options.filter((option) =>
    Object.entries(option.properties ?? {}).some(
      ([key, value]) => isShape(value) && value.const !== undefined && value.const === own(written, key),
    ),
  );
  return meant.length > 0 ? meant : options;
}

function step(shape: Shape, part: string | number): readonly Shape[] {
  const next =
    typeof part === 'number' ? shape.items : (own(shape.properties, part) ?? shape.additionalProperties);
  return isShape(next) && !Array.isArray(next) ? [next] : [];
}

/** Every shape that the value at `path` may have, given what is written in the file. */
function shapesAt(path: Path, file: unknown): readonly Shape[] {
  let written = file;
  let shapes = branches(root, written);
  let outer: readonly Shape[] = [];
  for (const part of path) {
    outer = shapes.flatMap((shape) => step(shape, part));
    written = Array.isArray(written) && typeof part === 'number' ? written[part] : own(written, String(part));
    shapes = outer.flatMap((shape) => branches(shape, written));
  }
  return [...shapes, ...outer];
}

/** The keys that may stand in the group at `path`. */
export function knownKeys(path: Path, file: unknown): readonly string[] {
  return [...new Set(shapesAt(path, file).flatMap((shape) => Object.keys(shape.properties ?? {})))];
}

/** What the value at `path` is for, in a few words; empty when the schema does not say. */
export function purpose(path: Path, file: unknown): string {
  return shapesAt(path, file).find((shape) => shape.description !== undefined)?.description ?? '';
}
