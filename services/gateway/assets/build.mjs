// Builds ../static from the sources here: hashed names, one manifest with SRI, gzip and brotli copies.
// Deterministic: the same sources and lock give the same names and bytes. Run by build.py, which finds Node.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import postcss from "postcss";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const next = `${out}.next`;
const manifest = {};

function digest(algorithm, bytes, encoding) {
  return createHash(algorithm).update(bytes).digest(encoding);
}

/** Writes one asset under a name that holds its own hash, and remembers it under its plain name. */
function put(name, bytes, { compress }) {
  const dot = name.lastIndexOf(".");
  const file = `${name.slice(0, dot)}-${digest("sha256", bytes, "hex").slice(0, 12)}${name.slice(dot)}`;
  writeFileSync(join(next, file), bytes);
  if (compress) {
    writeFileSync(join(next, `${file}.gz`), gzipSync(bytes, { level: 9 }));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(join(next, `${file}.br`), brotliCompressSync(bytes, { params }));
  }
  manifest[name] = { file, integrity: `sha384-${digest("sha384", bytes, "base64")}`, bytes: bytes.length };
  return file;
}

// Our colour for each that GOV.UK Frontend asks for, as _theme.scss says it: rules name ours at once.
const COLOURS = {};
// What GOV.UK Frontend's components offer and no page of ours uses (a test walks the pages for it).
const UNUSED = new RegExp(
  `\\.govuk-(${[
    "tag--(green|grey|magenta|orange|pink|purple|red|teal|turquoise|yellow)",
    "link--(inverse|muted|no-underline|no-visited-state|text-colour)|link-image|list--spaced",
    "body-lead|body-m|caption-(xl|l|m)|exit-this-page|visually-hidden-focusable|skip-link-focused-element",
    "breadcrumbs--(collapse-on-mobile|inverse)|back-link--inverse|button--(inverse|start)|button__start-icon",
    "(checkboxes|radios)__conditional.*|checkboxes__divider|label--(xl|l|m|s)|label-wrapper|fieldset__legend--xl",
    "input--extra-letter-spacing|input--width-2|input__(prefix|suffix|wrapper)",
    "table--small-text-until-tablet|summary-card.*|file-upload-(button|wrapper).*",
  ].join("|")})(?![\\w-])|\\[disabled\\]`,
);
// What the components of parvis.scss bring along and only pages with more.css use.
const LATER = /govuk-(fieldset|error-message|form-group--error|input--(error|width-(3|4|5|10|30))|table__caption|body-l|button--warning)/;

/** A sheet of ours, without the rules that no page uses. */
function compiled(name) {
  const { css } = sass.compile(join(here, "scss", `${name}.scss`), { style: "compressed", quietDeps: true });
  if (/gds transport/i.test(css)) throw new Error("the style sheet holds a name that must not stand in it");
  const tree = postcss.parse(css);
  taken(tree, UNUSED);
  return plain(tree);
}

/** Without what GOV.UK Frontend repeats in each rule for browsers and printers that need it no more. */
function plain(tree) {
  tree.walkDecls(/^--govuk-/, (line) => {
    if (/^var\(--(?!govuk-)[a-z-]+\)$/.test(line.value)) COLOURS[line.prop] = line.value;
    line.remove();
  });
  tree.walkDecls((line) => {
    line.value = line.value.replace(/var\((--govuk-[a-z-]+), ?([^()]*)\)/g, (_, name, other) => COLOURS[name] ?? other);
  });
  tree.walkDecls(/-font-smoothing$|^-moz-/, (line) => line.remove());
  tree.walkAtRules("supports", (rule) => rule.replaceWith(rule.nodes)); // an older browser skips a value it does not know
  tree.walkAtRules("media", (rule) => {
    if (rule.params === "print") rule.walkDecls("font-family", (line) => line.value === "sans-serif" && line.remove());
  });
  return pruned(tree);
}

/** Takes the selectors that match out of `tree`, and gives their rules as a tree of their own. */
function taken(tree, what) {
  const other = tree.clone();
  const matches = (selector) => what.test(selector.replace(/:not\([^)]*\)/g, ""));
  keep(tree, (selector) => !matches(selector));
  keep(other, matches);
  other.walkAtRules(/font-face|page/, (rule) => rule.remove());
  return other;
}

function keep(tree, wanted) {
  tree.walkRules((rule) => {
    const kept = rule.selectors.filter(wanted);
    if (kept.length === 0) rule.remove();
    else if (kept.length < rule.selectors.length) rule.selectors = kept;
  });
  pruned(tree);
}

/** The rules of `tree` that `other` does not have word for word: components bring those of their parts along. */
function without(tree, other) {
  const inside = (rule) => `${rule.parent.params ?? ""} ${rule}`;
  const known = new Set();
  other.walkRules((rule) => known.add(inside(rule)));
  tree.walkRules((rule) => {
    if (known.has(inside(rule))) rule.remove();
  });
  return pruned(tree);
}

function pruned(tree) {
  tree.walkRules((rule) => {
    if (rule.nodes.length === 0) rule.remove();
  });
  tree.walkAtRules((rule) => {
    if (rule.nodes?.length === 0) rule.remove();
  });
  return tree;
}

rmSync(next, { recursive: true, force: true });
mkdirSync(next, { recursive: true });

const fonts = join(here, "node_modules", "@fontsource", "atkinson-hyperlegible");
const font = put("atkinson-700.woff2", readFileSync(join(fonts, "files", "atkinson-hyperlegible-latin-700-normal.woff2")), {
  compress: false,
});
const core = compiled("parvis");
const later = taken(core, LATER);
const more = without(compiled("more"), core);
more.prepend(...later.nodes);
put("parvis.css", Buffer.from(core.toString().replaceAll("@asset/atkinson-700.woff2", font)), { compress: true });
put("more.css", Buffer.from(more.toString()), { compress: true });
put("sheet.css", Buffer.from(compiled("sheet").toString()), { compress: true });
put("session.js", readFileSync(join(here, "session.js")), { compress: true });
put("parvis.svg", Buffer.from(readFileSync(join(here, "parvis.svg"), "utf8").trim()), { compress: true });
put("offline.js", readFileSync(join(here, "offline.js")), { compress: true });

// The licences travel with what they cover.
const licences = [
  ["GOV.UK Frontend (style sheet code)", join(here, "licences", "govuk-frontend.txt")],
  ["Atkinson Hyperlegible (font)", join(fonts, "LICENSE")],
];
put("licences.txt", Buffer.from(licences.map(([of, path]) => `${of}\n\n${readFileSync(path, "utf8")}`).join("\n\n")), {
  compress: true,
});
writeFileSync(join(next, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

rmSync(out, { recursive: true, force: true });
renameSync(next, out);
for (const name of readdirSync(out)) process.stdout.write(`${name}\n`);
