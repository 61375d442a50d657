import { Marked, type Tokens } from "marked";

/** Anchors of the report's own, the only HTML in its Markdown that stays. */
const ANCHOR = /^<a id="([a-z]+(?:-[a-z0-9]+)*)">$/;
const SAFE_LINK = /^(https?:|mailto:|#)/i;

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}" +
  "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left}" +
  "blockquote{margin:1rem 0;padding-left:1rem;border-left:3px solid #ccc}pre{overflow:auto;background:#f5f5f5;padding:.5rem}";
/** Whatever slips through: nothing runs, nothing is loaded. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const marked = new Marked({
  renderer: {
    html({ text }: Tokens.HTML | Tokens.Tag): string {
      const id = ANCHOR.exec(text.trim())?.[1];
      if (id !== undefined) return `<a id="${id}"></a>`;
      return text.trim() === "</a>" ? "" : escapeHtml(text);
    },
    link({ href, tokens }: Tokens.Link): string {
      const inner = this.parser.parseInline(tokens);
      return SAFE_LINK.test(href) ? `<a href="${escapeHtml(href)}" rel="noopener noreferrer">${inner}</a>` : inner;
    },
    image({ text }: Tokens.Image): string {
      return escapeHtml(text);
    },
  },
});

/**
 * A report's Markdown as a page of its own, by `marked`. HTML in it shows as text, but for anchors; links lead to http, https, mailto and within
 * the page only; pictures are their descriptions; the page forbids scripts and loads nothing.
 */
export function reportHtml(markdown: string, title: string, language: string): string {
  const body = marked.parse(markdown, { async: false });
  return (
    `<!doctype html>\n<html lang="${escapeHtml(language)}">\n<head>\n<meta charset="utf-8">\n` +
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<title>${escapeHtml(title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n${body}</body>\n</html>\n`
  );
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
