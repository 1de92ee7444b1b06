// For try.sh: every case through the page's own code, and what differs from the native verifier.
{
  const { blobs, cases } = JSON.parse(document.getElementById("cases").textContent);
  const differing = [];
  let refused = 0;
  const started = Date.now();
  const flat = (report) => JSON.stringify([report.record, report.proved, report.claims.map((claim) => [claim.name, claim.outcome, claim.sentence, claim.reason])]);
  const module = new WebAssembly.Module(fromBase64(document.getElementById("program").textContent));
  for (const { what, files, charter, report, text } of cases) {
    let answer;
    try {
      const bundle = Object.fromEntries(Object.entries(files).map(([path, blob]) => [path, blobs[blob]]));
      answer = check(module, bundle, blobs[charter]);
    } catch (error) {
      differing.push(what + ": " + error.message);
      continue;
    }
    if (!answer.report.proved) refused += 1;
    if (flat(answer.report) !== flat(report) || answer.text !== text) differing.push(what);
  }
  document.title = "tried";
  document.body.textContent = "TRIED " + JSON.stringify({ cases: cases.length, refused, differing: differing.length, seconds: (Date.now() - started) / 1000, first: differing.slice(0, 10) }) + " END";
}
