/** The reference page of the configuration, `docs/configuration.md`, made from the schema. */
import { z } from 'zod';
import { formatDuration } from '../../src/config/schema/duration.ts';
import { configSchema } from '../../src/config/schema.ts';

type Shape = z.core.JSONSchema.BaseSchema;
const isShape = (value: unknown): value is Shape =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const HEAD = `# Configuration

One YAML file, by default \`/etc/portcullis/portcullis.yaml\`. \`portcullis check FILE\` prints everything that is wrong with it.
A whole example: [examples/portcullis.yaml](examples/portcullis.yaml).

Names have 1 to 40 small letters, digits, "-" and "_", and begin with a letter. Durations are whole numbers with units:
\`500ms\`, \`10s\`, \`2m\`, \`4h\`, \`1h30m\`, \`1d\`. Secrets stand in files of their own, readable for the service that uses them only:
the secret on the first line and, while it is being replaced, the previous one on the second.

<!-- Made from src/config/schema.ts by \`REWRITE=1 npx vitest run test/config\`; a test holds them equal. -->
`;

/** The page, Markdown. */
export function renderReference(): string {
  const root: Shape = z.toJSONSchema(configSchema, { io: 'input', override: noteDefault });
  return `${HEAD}${sections('', root, 'the whole file').join('')}`;
}

/** The input side of a schema drops defaults that a transform made; they are kept as text. */
function noteDefault({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Shape }): void {
  const { def } = zodSchema._zod;
  if (def.type === 'default') jsonSchema['standard'] = defaultText(def.defaultValue, jsonSchema);
}

function defaultText(value: unknown, shape: Shape): string {
  if (typeof value === 'number') return `\`${shape.type === 'string' ? formatDuration(value) : value}\``;
  if (isShape(value) && 'host' in value && 'port' in value)
    return `\`${String(value['host'])}:${String(value['port'])}\``;
  if (Array.isArray(value) && value.length === 1) return defaultText(value[0], shape);
  const empty =
    value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return empty ? 'none' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** A section for a group of keys and for every group in it. */
function sections(path: string, shape: Shape, what: string, kind = ''): readonly string[] {
  const properties = Object.entries(shape.properties ?? {}).filter((entry): entry is [string, Shape] =>
    isShape(entry[1]),
  );
  const required = new Set(shape.required);
  const rows = properties.map(([key, value]) => {
    const standard = required.has(key) ? 'required' : standardOf(value);
    return `| \`${key}\` | ${valueText(value)} | ${standard} | ${cell(value.description ?? '')} |\n`;
  });
  const title = path === '' ? '' : `\n## ${path}${kind}\n\n${what === '' ? '' : `${capital(what)}.\n`}`;
  const table = `\n| key | value | default | meaning |\n|---|---|---|---|\n${rows.join('')}`;
  return [
    title + table,
    ...properties.flatMap(([key, value]) => inner(path === '' ? key : `${path}.${key}`, value)),
  ];
}

const standardOf = ({ standard }: Shape): string => (typeof standard === 'string' ? standard : '');

function inner(path: string, shape: Shape): readonly string[] {
  const what = shape.description ?? '';
  if (isShape(shape.items)) return inner(`${path}[]`, { description: what, ...shape.items });
  if (isShape(shape.additionalProperties) && shape.additionalProperties.type !== 'string') {
    return inner(`${path}.NAME`, { description: what, ...shape.additionalProperties });
  }
  if (shape.properties !== undefined) return sections(path, shape, what);
  const groups = (shape.anyOf ?? []).filter(isShape).filter(({ properties }) => properties !== undefined);
  if (groups.length > 0) return groups.flatMap((option) => sections(path, option, what));
  return (shape.oneOf ?? []).filter(isShape).flatMap((option) => {
    const [key, value] = discriminator(option) ?? ['', {}];
    return sections(path, option, value.description ?? '', ` with ${key}: ${String(value.const)}`);
  });
}

const discriminator = (shape: Shape): [string, Shape] | undefined =>
  Object.entries(shape.properties ?? {}).find(
    (entry): entry is [string, Shape] => isShape(entry[1]) && entry[1].const !== undefined,
  );

function valueText(shape: Shape): string {
  if (typeof shape['value'] === 'string') return shape['value'];
  if (shape.const !== undefined) return `\`${String(shape.const)}\``;
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${String(value)}\``).join(', ');
  const options = [...(shape.anyOf ?? []), ...(shape.oneOf ?? [])].filter(isShape);
  if (options.length > 0) return [...new Set(options.map(valueText))].join(' or ');
  switch (shape.type) {
    case 'array':
      return `list of ${isShape(shape.items) ? valueText(shape.items) : 'anything'}`;
    case 'integer':
      return Number(shape.maximum) < Number.MAX_SAFE_INTEGER
        ? `${shape.minimum} to ${shape.maximum}`
        : `at least ${shape.minimum}`;
    case 'boolean':
      return '`true`, `false`';
    case 'string':
      return 'text';
    default:
      return isShape(shape.additionalProperties)
        ? shape.additionalProperties.type === 'string'
          ? 'texts by name'
          : 'groups by name'
        : 'group';
  }
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
