"""TwiML held against Twilio's typed builder for Node.js, which knows nothing of ours.

Each document becomes a function of TypeScript that builds the same with `twilio`'s `VoiceResponse`; the compiler holds
verbs, attributes and their values against the package's types; then it is run, and what it draws is compared element by
element with ours. One run for many documents: the compiler takes seconds to start. `problems` is the whole of it.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from tests.node_tools import MODULES, node

TIMEOUT: Final = 120.0  # seconds, on a busy machine
_BUILDER: Final = "twilio/lib/twiml/VoiceResponse"
_SETTINGS: Final = {
    "compilerOptions": {
        "strict": True,
        "noEmitOnError": True,
        "skipLibCheck": True,
        "target": "es2022",
        "module": "commonjs",
        "moduleResolution": "node10",
        "types": ["node"],
        "outDir": "out",
    },
    "files": ["check.ts"],
}


def problems(documents: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with TwiML documents, by the names they are given under; nothing where all are right.

    Skips the test where the builder is not installed.
    """
    program = node("twilio", "typescript", "@types/node")
    found: dict[str, str] = {}
    parsed: dict[str, ET.Element] = {}
    for name, document in documents.items():
        try:
            parsed[name] = _parsed(document)
        except (ET.ParseError, ValueError) as error:
            found[name] = f"no TwiML: {error}"
    if not parsed:
        return found
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "node_modules").symlink_to(MODULES)
        (folder / "tsconfig.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
        lines, owners = _program(parsed)
        (folder / "check.ts").write_text("\n".join(lines), encoding="utf-8")
        compiled = _run(folder, program, str(MODULES / "typescript" / "bin" / "tsc"), "--pretty", "false", "-p", ".")
        if compiled.returncode:
            found |= _complaints(compiled.stdout, owners)
            return found | problems({name: text for name, text in documents.items() if name not in found})
        ran = _run(folder, program, str(folder / "out" / "check.js"))
        if ran.returncode:
            raise AssertionError(f"the compiled check did not run: {ran.stderr[-2000:]}")
        drawn: dict[str, str] = json.loads(ran.stdout)
    for name, root in parsed.items():
        different = _different(root, ET.fromstring(drawn[name])) if name in drawn else "was not drawn"  # noqa: S314 # the builder's own
        if different:
            found[name] = different
    return found


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)


def _parsed(document: str) -> ET.Element:
    root = ET.fromstring(document.encode())  # noqa: S314 # what our own code wrote
    if root.tag != "Response" or root.attrib:
        raise ValueError(f"the root is <{root.tag}> with {root.attrib}, not <Response>")
    return root


# ── The program ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _program(parsed: Mapping[str, ET.Element]) -> tuple[list[str], list[str]]:
    """The lines of the program, and for each line the document it belongs to (empty: to all)."""
    types = _attribute_types()
    head = [f'import VoiceResponse = require("{_BUILDER}");', "const drawn: Record<string, string> = {};"]
    lines, owners = list(head), [""] * len(head)
    for name, root in parsed.items():
        mine = ["{", "const e0 = new VoiceResponse();", *_statements(root, types)]
        mine += [f"drawn[{json.dumps(name)}] = e0.toString();", "}"]
        lines += mine
        owners += [name] * len(mine)
    return [*lines, "process.stdout.write(JSON.stringify(drawn));"], [*owners, ""]


def _statements(root: ET.Element, types: Mapping[str, Mapping[str, str]]) -> list[str]:
    lines: list[str] = []
    count = 0

    def add(element: ET.Element, into: str) -> None:
        nonlocal count
        for child in element:
            count += 1
            mine, verb = f"e{count}", child.tag
            given = []
            if child.attrib:
                # an interface of that name is what makes an attribute known: some verbs take any `object`
                known = types.get(verb, {})
                values = ", ".join(f"{json.dumps(n)}: {_value(v, known.get(n, ''))}" for n, v in child.attrib.items())
                lines.append(f"const a{count}: VoiceResponse.{verb}Attributes = {{ {values} }};")
                given.append(f"a{count}")
            if child.text and child.text.strip():
                given.append(json.dumps(child.text))
            # a verb that is not a method would be `any`: the class has an index signature
            method = f"{verb[:1].lower()}{verb[1:]}"
            lines.append(
                f"const {mine} = ({into} as Pick<typeof {into}, {json.dumps(method)}>).{method}({', '.join(given)});"
            )
            add(child, mine)

    add(root, "e0")
    return lines


def _value(text: str, kind: str) -> str:
    """An attribute's text as TypeScript of its type."""
    if "number" in kind and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return text
    if "boolean" in kind and text in ("true", "false"):
        return text
    if kind.endswith("[]"):
        return json.dumps(text.split(" "))
    return json.dumps(text)


def _attribute_types() -> dict[str, dict[str, str]]:
    """The attributes of each verb with the text of their types, as the package declares them."""
    declared = (MODULES / f"{_BUILDER}.d.ts").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for name, body in re.findall(r"interface (\w+)Attributes \{(.*?)\n    \}", declared, re.DOTALL):
        plain = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        found[name] = {n: kind.strip() for n, kind in re.findall(r"(\w+|'[^']+')\??:\s*([^;]+);", plain)}
    if "Dial" not in found:
        raise AssertionError("the builder's declarations read differently than they did")
    return found


def _complaints(said: str, owners: list[str]) -> dict[str, str]:
    """What the compiler complains of, by document; the first complaint of each."""
    found: dict[str, str] = {}
    for line, text in re.findall(r"^check\.ts\((\d+),\d+\): error \w+: (.*)$", said, re.MULTILINE):
        found.setdefault(owners[int(line) - 1], text)
    if not found or "" in found:
        raise AssertionError(f"the check itself does not compile: {said[:2000]}")
    return found


# ── The comparison ──────────────────────────────────────────────────────────────────────────────────────────────────


def _different(ours: ET.Element, theirs: ET.Element) -> str:
    if ours.tag != theirs.tag:
        return f"<{ours.tag}> where the builder draws <{theirs.tag}>"
    if ours.attrib != theirs.attrib:
        return f"<{ours.tag}> has {ours.attrib}, the builder's {theirs.attrib}"
    if (ours.text or "").strip() != (theirs.text or "").strip():
        return f"<{ours.tag}> says {ours.text!r}, the builder's {theirs.text!r}"
    if [child.tag for child in ours] != [child.tag for child in theirs]:
        return f"<{ours.tag}> holds {[c.tag for c in ours]}, the builder's {[c.tag for c in theirs]}"
    if any((child.tail or "").strip() for child in ours):
        return f"<{ours.tag}> has text between its elements"
    return next((wrong for one, other in zip(ours, theirs, strict=True) if (wrong := _different(one, other))), "")
