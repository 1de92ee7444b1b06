#!/usr/bin/env python3
"""pack.py PROGRAM VERSION OUT [CASES]: the page with the program in it. With CASES, a copy that checks those instead (see try.sh)."""
import base64, hashlib, pathlib, re, sys

here = pathlib.Path(__file__).parent
program, version, out = sys.argv[1:4]
code = (here / "page.js").read_text()
page = (here / "page.html").read_text()
if len(sys.argv) > 4:
    code += (here / "try.js").read_text()
    page = page.replace("<script>@CODE@", '<script type="application/json" id="cases">' + pathlib.Path(sys.argv[4]).read_text() + "</script>\n<script>@CODE@")
digest = lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
style = re.search("<style>(.*?)</style>", page, re.S).group(1)
for name, value in {
    "SCRIPT": digest(code),
    "STYLE": digest(style),
    "VERSION": version,
    "PROGRAM": base64.b64encode(pathlib.Path(program).read_bytes()).decode(),
    "CODE": code,
}.items():
    page = page.replace("@" + name + "@", value)
pathlib.Path(out).write_text(page)
