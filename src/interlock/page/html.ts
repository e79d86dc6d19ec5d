/** HTML of the interlock's own page: what is put into it is escaped, and it asks for nothing from anywhere. */
import { createHash } from 'node:crypto';
import { html, Html } from '../../listener/html.ts';

const STYLE = `
:root{color-scheme:light dark;--line:#8888;font:1.1rem/1.45 system-ui,sans-serif}
body{max-width:52rem;margin:0 auto;padding:1rem}
h1{font-size:1.3rem}h2{font-size:1.1rem;margin:0}
section{border:1px solid var(--line);border-left-width:.6rem;border-radius:.3rem;padding:.8rem 1rem;margin:1rem 0}
.state{font-size:2rem;font-weight:700;margin:.1rem 0}
.isolated{border-left-color:#2b7a3d}.connected{border-left-color:#1c62b9}.alarm{border-left-color:#c0271b}
.unknown{border-left-color:#a76a00}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0 0}dd{margin:0;overflow-wrap:anywhere}
a.cut,button{display:inline-block;font:inherit;font-weight:700;padding:.6rem 1.2rem;border:2px solid;border-radius:.3rem;
color:inherit;background:none;text-decoration:none;cursor:pointer}
label{display:block;margin:.8rem 0}input{display:block;font:inherit;width:100%;box-sizing:border-box;padding:.4rem}
footer{font-size:.9rem;margin-top:2rem}
@media(max-width:30rem){dl{grid-template-columns:1fr}dt{font-weight:700}}
`;

/** Nothing is loaded, nothing runs, nobody frames it, and its form goes back to where it came from. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

// Not in a template that is formatted: the policy names the digest of exactly these characters.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** A whole page. `refreshS`: it is asked for again after so many seconds; null for one with a form, which would be emptied. */
export const pageOf = (title: string, refreshS: number | null, content: readonly Html[]): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${refreshS === null ? '' : html`<meta http-equiv="refresh" content="${refreshS}" />`}
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html> `.text;
