// Bundles the page's script and packs it, because it is larger than all numbers of a run. Writes it
// and the script that unpacks it as a C++ source, with their digests for the page's content security
// policy and with the licences of the bundled packages: node build.mjs OUTPUT.cpp
import {build} from "esbuild";
import {deflateSync, strToU8} from "fflate"; // Node's own zlib differs from version to version
import {createHash} from "node:crypto";
import {existsSync, readdirSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";

// The page draws no maps and has its own colours, so the packages that Plot imports for these are
// replaced by stubs that are never called. The exception is geoTransform, which Plot calls on
// loading.
const leaveOut = {
  name: "leave-out",
  setup({onResolve, onLoad}) {
    onResolve({filter: /^d3-(geo|scale-chromatic)$/}, ({path}) => ({path, namespace: "left-out", sideEffects: false}));
    onLoad({filter: /./, namespace: "left-out"}, async ({path}) => {
      const exports = Object.keys(await import(path)).map((name) => `${name} = ${name === "geoTransform" ? "() => ({})" : "absent"}`);
      return {contents: `const absent = () => { throw new Error("left out of the page"); };\nexport const ${exports.join(", ")};`};
    });
  },
};

// The text of a bundle, and the modules in it.
async function bundled(entry) {
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    plugins: [leaveOut],
    format: "iife",
    legalComments: "none", // licences() collects the whole texts below
    target: "es2021",
  });
  const used = Object.entries(bundle.metafile.outputs)[0][1].inputs;
  return {
    // A browser ends a script element at "</script", even inside a string literal.
    script: bundle.outputFiles[0].text.trim().replaceAll("</script", "<\\/script"),
    modules: Object.entries(used).filter(([, {bytesInOutput}]) => bytesInOutput > 0).map(([name]) => name),
  };
}

const digest = (script) => `sha256-${createHash("sha256").update(script).digest("base64")}`;

function folderOf(input) {
  const parts = input.split("/");
  const at = parts.lastIndexOf("node_modules");
  if (at < 0) return [];
  return [parts.slice(0, at + (parts[at + 1].startsWith("@") ? 3 : 2)).join("/")];
}

function licenceOf(folder) {
  const {name, version, license} = JSON.parse(readFileSync(join(folder, "package.json")));
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)/i.test(each));
  if (!file) throw new Error(`${name} ${version} comes without the text of its licence (${license})`);
  const lines = readFileSync(join(folder, file), "utf8").replaceAll("\r", "").trim().split("\n");
  const isNotice = (line) => /^copyright (\(c\)|\d)/i.test(line.trim());
  return {
    name: `${name} ${version} (${license})`,
    notices: lines.filter(isNotice).map((line) => line.trim()),
    terms: lines.filter((line) => !isNotice(line)).join("\n").replace(/\n{3,}/g, "\n\n").trim(),
  };
}

// Packages with identical terms share one copy of them; each package keeps its copyright notice.
function licences(inputs) {
  const groups = new Map();
  for (const folder of [...new Set(inputs.flatMap(folderOf))].sort()) {
    const {name, notices, terms} = licenceOf(folder);
    const key = terms.replace(/\s+/g, " ");
    if (!groups.has(key)) groups.set(key, {packages: [], terms});
    groups.get(key).packages.push([name, ...notices].join(". "));
  }
  return [...groups.values()].map(({packages, terms}) => `${packages.join("\n")}\n\n${terms}`).join("\n\n\n");
}

// A C++ compiler need not support string literals of more than 65,536 characters.
function literals(text) {
  if (text.includes(")page\"")) throw new Error("the text holds the mark that ends it in C++");
  return text.match(/[^]{1,16000}/gu).map((part) => `    R"page(${part})page",`).join("\n");
}

const main = await bundled("main.js");
const unpacker = await bundled("unpack.js");
const packed = Buffer.from(deflateSync(strToU8(main.script), {level: 9, mem: 12})).toString("base64");
writeFileSync(process.argv[2], `// Made by bench/report/page/charts/build.mjs.
#include <bench/report/page/script.hpp>

namespace bench {
namespace {

constexpr std::string_view script_parts[] = {
${literals(unpacker.script)}
};

constexpr std::string_view packed_parts[] = {
${literals(packed)}
};

constexpr std::string_view licence_parts[] = {
${literals(licences([...main.modules, ...unpacker.modules]))}
};

}  // namespace

page_script bundled_script() {
  return {script_parts, "${digest(unpacker.script)}", licence_parts, {}, packed_parts, "${digest(main.script)}"};
}

}  // namespace bench
`);
