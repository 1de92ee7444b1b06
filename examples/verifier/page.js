"use strict";
// What the program needs of a system: standard input and output, and an end. Everything else it does not ask for.
function runProgram(module, input) {
  const written = [];
  const errors = [];
  let at = 0;
  let memory;
  const view = () => new DataView(memory.buffer);
  const pieces = (list, count) => Array.from({ length: count }, (_, index) => {
    const start = list + 8 * index;
    return new Uint8Array(memory.buffer, view().getUint32(start, true), view().getUint32(start + 4, true));
  });
  class End extends Error {}
  const BAD_DESCRIPTOR = 8;
  const system = {
    environ_sizes_get(count, size) { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return 0; },
    environ_get() { return 0; },
    fd_read(descriptor, list, count, size) {
      if (descriptor !== 0) return BAD_DESCRIPTOR;
      let read = 0;
      for (const piece of pieces(list, count)) {
        const part = input.subarray(at, at + piece.length);
        piece.set(part);
        at += part.length;
        read += part.length;
      }
      view().setUint32(size, read, true);
      return 0;
    },
    fd_write(descriptor, list, count, size) {
      if (descriptor !== 1 && descriptor !== 2) return BAD_DESCRIPTOR;
      let total = 0;
      for (const piece of pieces(list, count)) {
        (descriptor === 1 ? written : errors).push(piece.slice());
        total += piece.length;
      }
      view().setUint32(size, total, true);
      return 0;
    },
    proc_exit(code) { throw new End(String(code)); },
  };
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system });
  memory = instance.exports.memory;
  const text = (parts) => {
    const decoder = new TextDecoder();
    return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  };
  try {
    instance.exports._start();
  } catch (end) {
    if (!(end instanceof End) || end.message !== "0") throw new Error("the verifier broke off: " + text(errors) + " " + end.message);
  }
  return JSON.parse(text(written));
}

function fromBase64(text) {
  const bytes = atob(text.trim());
  return Uint8Array.from(bytes, (character) => character.charCodeAt(0));
}

function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

// The report on `files`, path to base64, under the charter file in base64.
function check(module, files, charter) {
  const answer = runProgram(module, new TextEncoder().encode(JSON.stringify({ charter, files })));
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}

if (typeof document !== "undefined") {
  const element = (name, text, parent) => {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const result = document.getElementById("result");
  let module;
  const program = () => module ??= new WebAssembly.Module(fromBase64(document.getElementById("program").textContent));

  const show = (answer, names) => {
    const { report, text } = answer;
    // That of the main crate, which `pack.py` wrote into the page.
    const version = document.getElementById("version").textContent;
    result.replaceChildren();
    element("h2", "Result", result);
    const verdict = element("p", "", result);
    verdict.id = "verdict";
    verdict.className = report.proved ? "proved" : "refused";
    const record = report.record ?? "the evidence";
    verdict.textContent = report.proved
      ? "✓ " + record + ": PROVED. Every claim that the folder makes holds."
      : "✗ " + record + ": REFUSED. Do not rely on this folder.";
    element("p", "Folder: " + names.folder + ". Trusted charter: " + names.charter + ". Program: shieldwall " + version + ".", result);
    for (const [outcome, heading, mark] of [["failed", "Failed", "✗ FAILED"], ["proved", "Proved", "✓ proved"], ["not_claimed", "Not claimed", "– not claimed"]]) {
      const claims = report.claims.filter((claim) => claim.outcome === outcome);
      if (claims.length === 0) continue;
      element("h3", heading + " (" + claims.length + ")", result);
      const list = element("dl", "", result);
      for (const claim of claims) {
        element("dt", mark + ": " + claim.name, list);
        const said = element("dd", claim.sentence, list);
        if (claim.reason !== undefined) element("p", "Because: " + claim.reason, said).className = "reason";
      }
    }
    const details = element("details", "", result);
    element("summary", "As the command prints it", details);
    element("pre", text, details);
    const print = element("button", "Print", result);
    print.className = "screen";
    print.type = "button";
    print.addEventListener("click", () => window.print());
  };

  const refuse = (reason) => {
    result.replaceChildren();
    element("h2", "Result", result);
    const verdict = element("p", "✗ Nothing was proved: " + reason, result);
    verdict.id = "verdict";
    verdict.className = "refused";
  };

  document.getElementById("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    result.textContent = "Checking…";
    try {
      const chosen = [...document.getElementById("folder").files];
      const charter = document.getElementById("charter").files[0];
      // As the command: more or larger files are not read.
      if (chosen.length > 2000) throw new Error("there are more than 2,000 files; that is no evidence folder");
      const files = Object.create(null);
      for (const file of chosen) {
        if (file.size > 16 << 20) throw new Error(file.name + " has more than 16 MiB; that is no file of an evidence folder");
        // The first part is the name of the folder itself.
        const path = file.webkitRelativePath ? file.webkitRelativePath.split("/").slice(1).join("/") : file.name;
        files[path] = toBase64(new Uint8Array(await file.arrayBuffer()));
      }
      const folder = chosen[0]?.webkitRelativePath.split("/")[0] || "single files";
      const answer = check(program(), files, toBase64(new Uint8Array(await charter.arrayBuffer())));
      show(answer, { folder, charter: charter.name });
    } catch (error) {
      refuse(error.message);
    }
    result.focus();
  });
}
