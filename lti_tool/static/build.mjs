// Build the browser's files: bundle, name by content, compress, list in manifest.json.
//   node lti_tool/static/build.mjs
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist");
const manifest = {};

async function publish(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const file = `${basename(name, extname(name))}.${hash}${extname(name)}`;
  const brotli = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  await writeFile(join(out, file), content);
  await writeFile(join(out, `${file}.br`), brotli);
  await writeFile(join(out, `${file}.gz`), gzipSync(content, { level: 9 }));
  manifest[name] = file;
  console.log(`${file.padEnd(32)} ${String(content.length).padStart(9)} bytes, ${brotli.length} in brotli`);
}

async function bundled(name) {
  const result = await build({
    entryPoints: [join(here, "src", name)],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["es2022", "chrome111", "firefox113", "safari16.4"],
    legalComments: "none",
  });
  return Buffer.from(result.outputFiles[0].contents);
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await publish("app.css", await bundled("app.css"));
await publish("app.js", await bundled("app.js"));
const require = createRequire(import.meta.url);
await publish("plotly.js", await readFile(require.resolve("plotly.js-basic-dist-min")));
await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
