/** Reports, configuration and sources: what was done, what is configured, who may cut. */
import { z } from 'zod';
import { reportDocument } from '../../controller/reports/document.ts';
import { status } from '../../protocol/messages.ts';

const reportSummary = z.object({
  window: z.string(),
  link: z.string(),
  occurrence: z.string(),
  started_at: z.string(),
  finished_at: z.string(),
  outcome: z.string(),
  why: z.string().nullable(),
  exposure_seconds: z.number(),
  isolation_proven: z.boolean(),
  /** New data, bytes. */
  bytes_added: z.number(),
});
export type ReportSummary = z.infer<typeof reportSummary>;

/** `GET /reports`: newest first. */
export const reportsQuery = z.strictObject({
  cursor: z.string().max(500).exactOptional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  window: z.string().max(100).exactOptional(),
});
export const reportsPage = z
  .object({ reports: z.array(reportSummary), next: z.string().nullable() })
  .meta({ id: 'ReportsPage' });
export type ReportsPage = z.infer<typeof reportsPage>;

/** `GET /reports/:window/:occurrence`: one opening of a window, as the controller keeps it. */
export const report = reportDocument.meta({ id: 'Report' });
export type Report = z.infer<typeof report>;

/** Something wrong with the configuration file, with its place (both count from 1). */
export const configProblem = z.object({
  severity: z.enum(['error', 'warning']),
  line: z.number(),
  column: z.number(),
  path: z.string(),
  what: z.string(),
  hint: z.string(),
});

/** `GET /configuration`: the file as it is on disk now, read-only, with its problems. */
export const configuration = z
  .object({
    /** SHA-256 of the certificate that this controller shows; `null` without TLS. */
    tls_fingerprint: z.string().nullable(),
    file: z.string(),
    /** `null` when the file cannot be read; `why` says why. */
    text: z.string().nullable(),
    why: z.string().nullable(),
    /** RFC 3339. */
    modified_at: z.string().nullable(),
    /** The file is another than the one this controller began with: restart to use it. */
    changed: z.boolean(),
    /** `valid` may still have warnings; `unknown` when the check itself failed. */
    result: z.enum(['valid', 'invalid', 'unknown']),
    problems: z.array(configProblem),
  })
  .meta({ id: 'Configuration' });
export type Configuration = z.infer<typeof configuration>;

/** Text to paste, with the address of this box and the name of the source filled in. */
const paste = z.object({ title: z.string(), language: z.string(), text: z.string() });

/** One source: what the interlock heard of it, how it is verified, and what its sender needs. */
export const source = z
  .object({
    ...status.shape.sources.element.shape,
    /** Links that it cuts. */
    trips: z.array(z.string()),
    /** How a request is verified, as in the configuration: `bearer`, `hmac`, … */
    verify: z.string(),
    /** Where its sender posts to, with `SECRET` in place of a secret. */
    url: z.string(),
    paste: z.array(paste),
  })
  .meta({ id: 'Source' });
export type Source = z.infer<typeof source>;
export const sources = z.object({ sources: z.array(source) }).meta({ id: 'Sources' });
export type Sources = z.infer<typeof sources>;
