// Builds ../static from the sources here: hashed names, one manifest with SRI, gzip and brotli copies.
// Deterministic: the same sources and lock give the same names and bytes. Run by build.py, which finds Node.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
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

rmSync(next, { recursive: true, force: true });
mkdirSync(next, { recursive: true });

const fonts = join(here, "node_modules", "@fontsource", "atkinson-hyperlegible");
const font = put("atkinson-700.woff2", readFileSync(join(fonts, "files", "atkinson-hyperlegible-latin-700-normal.woff2")), {
  compress: false,
});
const css = sass
  .compile(join(here, "scss", "parvis.scss"), { style: "compressed", quietDeps: true })
  .css.replaceAll("@asset/atkinson-700.woff2", font);
if (/gds transport|@asset\//i.test(css)) throw new Error("the style sheet holds a name that must not stand in it");
put("parvis.css", Buffer.from(css), { compress: true });
const sheet = sass.compile(join(here, "scss", "sheet.scss"), { style: "compressed" }).css;
put("sheet.css", Buffer.from(sheet), { compress: true });
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
