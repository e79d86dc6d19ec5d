/** Pages for people who were not there: self-contained, nothing runs, light, made for A4 paper. */
import { createHash } from 'node:crypto';
import { html, Html } from '../../listener/html.ts';

const STYLE = `
:root{color-scheme:light;font:10.5pt/1.4 system-ui,"Liberation Sans",sans-serif;color:#111;background:#fff}
body{max-width:180mm;margin:0 auto;padding:8mm 4mm}
h1{font-size:16pt;margin:0 0 2mm}h2{font-size:12pt;margin:7mm 0 1.5mm;border-bottom:1px solid #999;break-after:avoid}
h3{font-size:10.5pt;margin:3mm 0 1mm;break-after:avoid}
p{margin:1mm 0}.verdict{font-size:13pt;font-weight:700;border:2px solid;padding:2mm 3mm;margin:3mm 0}
.good{border-color:#2b7a3d}.bad{border-color:#c0271b}.so-so{border-color:#a76a00}
.simulated{border:2px dashed #a76a00;padding:2mm 3mm;margin:3mm 0;font-weight:700}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.5mm 5mm;margin:1mm 0}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:1mm 0;font-size:9pt}
th,td{border:1px solid #bbb;padding:.7mm 1.2mm;text-align:left;vertical-align:top;overflow-wrap:break-word}
td.long{overflow-wrap:anywhere}
th{background:#eee}tr{break-inside:avoid}thead{display:table-header-group}
pre{font:8.5pt/1.35 "Liberation Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #bbb;padding:2mm;margin:1mm 0}
footer{margin-top:8mm;border-top:1px solid #999;padding-top:2mm;color:#444;font-size:8.5pt}
@page{size:A4;margin:14mm}@media print{body{max-width:none;padding:0}}
`;

/** What a browser may do with such a page: show it. */
export const PAPER_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

// Not in a template that is formatted: the policy names the digest of exactly these characters.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** A whole page. The policy stands in it, too: it is also kept and mailed as a file. */
export const paperOf = (title: string, content: readonly Html[]): string =>
  `${
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta http-equiv="content-security-policy" content="${headPolicy}" />
          <title>${title}</title>
          ${STYLE_ELEMENT}
        </head>
        <body>
          ${content}
        </body>
      </html>`.text
  }\n`;

/** Browsers heed frames only in the header. */
const headPolicy = PAPER_POLICY.replace("; frame-ancestors 'none'", '');
