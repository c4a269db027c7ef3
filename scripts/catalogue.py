#!/usr/bin/env python3
"""Make src/catalogue/data/*.json from the official Python SDK's wheel.

usage: catalogue.py [--wheel FILE] [--out FOLDER] [--check]

Without --wheel the pinned release is downloaded with pip into a temporary folder. The wheel's SHA-256 must be the pinned
one. The SDK is read as syntax trees only: nothing of it is imported or run, and none of its prose is kept: methods,
paths, names, types, enum values, required or not, paging, waiters, and a few one-word facts. `--check` writes nothing
and exits 1 if the data on disk is not what the wheel gives. `extra.json` and `forms.json` are written by hand and left alone.

The format of a file (one operation or type a line, so that a new SDK release reads well in a diff):

  service, sdk      the SDK module and its release
  operations        NAME: {"http": "METHOD /path/{parameter}/{many...}", then only what there is of:
                      query, body  members: {WIRE NAME: FIELD}
                      bare         the type that is the whole body
                      raw          "request", "reply" or "both": not JSON
                      reply, item  types of the reply and of one item of its list
                      page         "token query|body PARAMETER REPLY-MEMBER ITEMS", "scim", "page ITEMS",
                                   "body REPLY-MEMBER ITEMS" or "single ITEMS"
                      wait         "POLLED-OPERATION FIELD GOOD,STATES BAD,STATES MINUTES" (- for none)
                      long         the result of a long-running operation whose handle the reply is}
  types             NAME: {WIRE NAME: FIELD} for a struct, [VALUE, ...] for an enum

  FIELD             "TYPE", then `!` if required, then words: `out` filled by the backend, `in` never read back, `fixed`
                    immutable, `old` deprecated, `=JSON` the documented default
  TYPE              text int int64 number bool any object time duration mask bytes none, [TYPE], {TYPE} a map from text,
                    Name of this service, service.Name of another
"""
import argparse
import ast
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

RELEASE = "0.162.0"
SHA256 = "eae6fa5a76c21ca2a53530088a216dfad681138234173112c81833cbd41e98cd"

# Lists whose pages the SDK gives one by one, without reading on: the member that has the items, and their type.
UNREAD_LISTS = {"genie.list_spaces": ("spaces", "GenieSpace")}

# Which API classes of which module are workspace-level; "*" is all but those that ACCOUNT matches.
SERVICES = {
    **dict.fromkeys(
        "apps bundledeployments cleanrooms compute dashboards database dataquality environments files genieagents jobs "
        "knowledgeassistants ml pipelines postgres qualitymonitorv2 serving settings sharing sql supervisoragents tags "
        "vectorsearch workspace".split(),
        "*",
    ),
    "billing": "BudgetPolicy",
    "catalog": "ArtifactAllowlists Catalogs Connections Credentials EntityTagAssignments ExternalLocations ExternalMetadata "
    "Functions Grants Metastores ModelVersions OnlineTables Policies QualityMonitors RegisteredModels ResourceQuotas Rfa "
    "Schemas SecretsUc StorageCredentials SystemSchemas TableConstraints Tables TemporaryPathCredentials "
    "TemporaryTableCredentials TemporaryVolumeCredentials Volumes WorkspaceBindings",
    "iam": "AccessControl AccountAccessControlProxy CurrentUser Groups GroupsV2 PermissionMigration Permissions "
    "ServicePrincipals ServicePrincipalsV2 Users UsersV2",
    "iamv2": "WorkspaceIamV2",
    "oauth2": "ServicePrincipalSecretsProxy",
    "settingsv2": "WorkspaceSettingsV2",
}
ACCOUNT = re.compile(
    r"Account|.*DataPlane$|NetworkConnectivity|NetworkPolicies|CspEnablement|EsmEnablement|LlmProxyPartnerPowered(Account|Enforce)"
    r"|PersonalCompute|DisableLegacyFeatures|WorkspaceNetworkConfiguration|EnableIpAccessLists"
)

PLAIN = {
    "str": "text", "int": "int", "float": "number", "bool": "bool", "any": "any", "Any": "any", "dict": "object",
    "Dict": "object", "object": "object", "BinaryIO": "bytes", "Timestamp": "time", "Duration": "duration",
    "FieldMask": "mask",
}


def spell(note):
    """An annotation as TYPE; Optional is dropped."""
    if note is None:
        return "any"
    if isinstance(note, ast.Constant):
        return "none" if note.value is None else spell(ast.parse(note.value, mode="eval").body)
    if isinstance(note, ast.Subscript):
        outer = ast.unparse(note.value)
        if outer == "Optional":
            return spell(note.slice)
        if outer in ("List", "list", "Iterator"):
            return "[" + spell(note.slice) + "]"
        if outer in ("Dict", "dict"):
            return "{" + spell(note.slice.elts[1]) + "}"
        return outer + "<" + spell(note.slice) + ">"
    text = ast.unparse(note)
    return PLAIN.get(text, text)


def optional(note):
    text = note.value if isinstance(note, ast.Constant) else ast.unparse(note)
    return str(text).startswith("Optional[")


DEFAULT = re.compile(
    r"\b(?:[Dd]efaults? (?:value )?(?:is|to|of)|defaults to be)\s+[`'\"]*(true|false|-?\d+(?:\.\d+)?|[A-Z][A-Z0-9_]{2,})\b"
)


def words(prose, only=None):
    """The one-word facts that a field's documentation states."""
    prose = " ".join((prose or "").split())
    low = prose.lower()
    found = []
    if re.search(r"output[- _]?only|read[- ]only(?! mode)", low[:200]):
        found.append("out")
    if re.search(r"input[- _]?only|write[- ]only", low[:200]):
        found.append("in")
    if re.search(r"\bimmutable\b|cannot be (?:changed|updated|modified) after", low[:400]):
        found.append("fixed")
    if re.search(r"\bdeprecated\b", low[:160]):
        found.append("old")
    stated = DEFAULT.search(prose)
    if stated:
        value = stated.group(1)
        found.append("=" + (value if re.fullmatch(r"true|false|-?[\d.]+", value) else json.dumps(value)))
    return [w for w in found if only is None or w[0] == "=" or w in only]


def field(kind, required, facts):
    return " ".join([kind + ("!" if required else ""), *facts])


def strings(node):
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def assigned(function, variable):
    """Statements `variable["key"] = value` of a function, in order."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            place = node.targets[0]
            if isinstance(place.value, ast.Name) and place.value.id == variable and isinstance(place.slice, ast.Constant):
                yield place.slice.value, node.value


class Service:
    """One module of the SDK."""

    def __init__(self, name, source):
        self.name = name
        self.classes = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.ClassDef)}

    def is_enum(self, name):
        return any(isinstance(b, ast.Name) and b.id == "Enum" for b in self.classes[name].bases)

    def is_struct(self, name):
        return any(ast.unparse(d) == "dataclass" for d in self.classes[name].decorator_list)

    def apis(self):
        wanted = SERVICES[self.name]
        for name, node in self.classes.items():
            plain = name.removesuffix("API")
            if name == plain or self.is_struct(name) or self.is_enum(name):
                continue
            if (not ACCOUNT.match(plain)) if wanted == "*" else plain in wanted.split():
                yield group_name(plain), node

    def type(self, name):
        """The fields of a struct, or the values of an enum."""
        node = self.classes[name]
        if self.is_enum(name):
            return [n.value.value for n in node.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)]
        wire, wide = self.wire_names(node)
        fields = {}
        for here, after in zip(node.body, [*node.body[1:], None]):
            if not isinstance(here, ast.AnnAssign):
                continue
            doc = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
            name, kind = here.target.id, spell(here.annotation)
            if name in wide:
                kind = kind.replace("int", "int64")
            required = here.value is None and not optional(here.annotation)
            fields[wire.get(name, name)] = field(kind, required, words(doc if isinstance(doc, str) else ""))
        return fields

    @staticmethod
    def wire_names(node):
        """Attribute to wire name, and the attributes that may arrive as decimal text."""
        wire, wide = {}, set()
        for method in (n for n in node.body if isinstance(n, ast.FunctionDef)):
            if method.name == "as_dict":
                for key, value in assigned(method, "body"):
                    for part in ast.walk(value):
                        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self":
                            wire[part.attr] = key
            elif method.name == "from_dict":
                for call in ast.walk(method):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "cls":
                        for argument in call.keywords:
                            for key in strings(argument.value)[:1]:
                                wire.setdefault(argument.arg, key)
                            if isinstance(argument.value, ast.Call) and "int64" in ast.unparse(argument.value.func):
                                wide.add(argument.arg)
        return wire, wide


def group_name(plain):
    """InstancePools to instance_pools, AlertsV2 to alerts_v2."""
    plain = re.sub(r"V(\d)$", r"_v\1", plain)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()


class Method:
    """One method of an API class: what it sends and what it reads."""

    def __init__(self, service, group, node, waiters):
        self.service, self.group, self.node, self.waiters = service, group, node, waiters
        self.source = ast.unparse(node)
        arguments = node.args.args[1:]
        first_default = len(arguments) - len(node.args.defaults)
        self.arguments = {a.arg: (a.annotation, i < first_default) for i, a in enumerate(arguments)}
        for a, default in zip(node.args.kwonlyargs, node.args.kw_defaults):
            self.arguments[a.arg] = (a.annotation, default is None)
        self.calls = [
            n for n in ast.walk(node)
            if isinstance(n, ast.Call) and ast.unparse(n.func) in ("self._api.do", "self._data_plane_service.do")
        ]
        self.documents = dict(
            re.findall(r"^\s*:param (\w+): ?[^\n]*\n((?:\s{2,}[^:\n][^\n]*\n?|\n)*)", (ast.get_docstring(node) or "") + "\n", re.M)
        )

    def facts(self):
        """The operation's facts; none if the method calls nothing."""
        if not self.calls:
            return None
        call = self.calls[0]
        keywords = {k.arg: k.value for k in call.keywords}
        facts = {"http": f"{call.args[0].value} {self.path(call.args[1])}"}
        if "query" in keywords and (members := self.members("query")):
            facts["query"] = dict(sorted(members.items()))
        if "data" in keywords:
            facts["raw"] = "request"
        elif "body" in keywords:
            whole = self.whole_body(keywords["body"])
            if whole:
                facts["bare"] = spell(self.arguments[whole][0])
            else:
                facts["body"] = dict(sorted(self.members("body").items()))
        if "raw" in keywords:
            facts["raw"] = "both" if "raw" in facts else "reply"
        facts.update(self.reply())
        return facts

    def path(self, node):
        if isinstance(node, ast.Constant):
            return node.value
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += part.value
                continue
            inner, many = part.value, ""
            if isinstance(inner, ast.Call):
                many = "..." if "multi_segment" in ast.unparse(inner.func) else ""
                inner = inner.args[0]
            text += "{" + ast.unparse(inner).removesuffix(".value").removeprefix("self._api.") + many + "}"
        return text

    def whole_body(self, body):
        """The argument that is the body as it stands."""
        if isinstance(body, ast.Name) and body.id in self.arguments:
            return body.id
        for node in ast.walk(self.node):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "body":
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Name) and part.id in self.arguments:
                        return part.id
        return None

    def members(self, variable):
        members = {}
        for key, value in assigned(self.node, variable):
            if ast.unparse(value).startswith("json["):
                continue  # the token of the next page
            names = [n.id for n in ast.walk(value) if isinstance(n, ast.Name) and n.id in self.arguments]
            if not names:
                members.setdefault(key, "any")
                continue
            note, required = self.arguments[names[0]]
            members[key] = field(spell(note), required, words(self.documents.get(names[0]), ("old",)))
        return members

    def reply(self):
        """The reply's type, how a list goes on, how an end is waited for."""
        facts, kind = {}, spell(self.node.returns)
        if self.returns_map():
            kind = "{text}"
        handle = re.search(r"([\w.]*Operation)\.from_dict\(res\)", self.source)
        if kind.startswith("Wait<"):
            named = re.search(r"self\.(wait_\w+)", self.source)
            if named:
                facts["wait"] = self.waiters[named.group(1)]
            parsed = re.search(r"response=([\w.]+)\.from_dict", self.source)
            kind = parsed.group(1) if parsed else "none"
        elif handle and kind.endswith("Operation"):
            facts["long"] = self.result_of(kind)
            kind = handle.group(1)
        style = self.paging()
        single = re.search(r"([\w.]+)\.from_dict\(json\)\.(\w+)", self.source)
        if style:
            facts["page"] = style
            if kind.startswith("["):
                facts["item"], kind = kind[1:-1], "none"
        elif kind.startswith("[") and single:
            facts["item"], facts["page"], kind = kind[1:-1], "single " + single.group(2), single.group(1)
        unread = UNREAD_LISTS.get(f"{self.group}.{self.node.name}")
        if unread:
            facts["page"], facts["item"], kind = "token query page_token next_page_token " + unread[0], unread[1], "none"
        if kind not in ("none", "any"):
            facts["reply"] = kind
        return facts

    def returns_map(self):
        """One annotation names a class that is not there; the documentation has the type."""
        return ":returns: Dict[str,str]" in (ast.get_docstring(self.node) or "")

    def paging(self):
        key = re.search(r"if '(\w+)' in json:\s+for v in json\['\1'\]", self.source)
        items = key.group(1) if key else "-"
        token = re.search(r"(query|body)\['(\w+)'\] = json\['(next_page_token)'\]", self.source)
        if token:
            return "token {} {} {} ".format(*token.groups()) + items
        if "startIndex" in self.source and "+=" in self.source:
            return "scim"
        if re.search(r"query\['page'\] \+= 1", self.source):
            return "page " + items
        if "body = json['next_page']" in self.source:
            return "body next_page " + items
        return None

    def result_of(self, handle):
        """What the handle of a long-running operation gives in the end."""
        node = self.service.classes.get(handle)
        for method in node.body if node else []:
            if isinstance(method, ast.FunctionDef) and method.name == "wait" and method.returns:
                return spell(method.returns)
        return "none"


def waiters_of(service, group, node):
    """NAME: "OPERATION FIELD GOOD BAD MINUTES" for each method that polls."""
    found = {}
    for method in (n for n in node.body if isinstance(n, ast.FunctionDef) and n.name.startswith("wait_")):
        source = ast.unparse(method)
        states = {}
        for sort in ("target", "failure"):
            listed = re.search(sort + r"_states = \(([^)]*)\)", source)
            states[sort] = ",".join(re.findall(r"\.([A-Z0-9_]+)", listed.group(1))) if listed else "-"
        polled = re.search(r"poll = self\.(\w+)\(", source).group(1)
        watched = re.search(r"status = poll\.([\w.]+)", source).group(1)
        minutes = re.search(r"timeout=timedelta\(minutes=(\d+)\)", source)
        found[method.name] = " ".join(
            [f"{service}.{group}.{polled}", watched, states["target"], states["failure"], minutes.group(1) if minutes else "20"]
        )
    return found


def named_types(facts):
    """All type names that an operation's or a struct's facts mention."""
    if isinstance(facts, str):
        return re.findall(r"\b(?:[a-z]\w*\.)?[A-Z]\w*", facts.split(" ")[0])
    if isinstance(facts, dict):
        return [t for key, value in facts.items() if key not in ("http", "raw", "page", "wait") for t in named_types(value)]
    return []


def read(wheel):
    """Every service's facts by name, from the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        modules = {
            name[len("databricks/sdk/service/") : -len(".py")]: archive.read(name).decode()
            for name in archive.namelist()
            if re.fullmatch(r"databricks/sdk/service/[a-z]\w*\.py", name)
        }
    services = {name: Service(name, source) for name, source in sorted(modules.items())}
    result, wanted = {}, []
    for name in SERVICES:
        operations = {}
        for group, node in services[name].apis():
            waiters = waiters_of(name, group, node)
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith(("_", "wait_")):
                    facts = Method(services[name], group, method, waiters).facts()
                    if facts:
                        operations[f"{group}.{method.name}"] = facts
                        wanted += [(name, t) for t in named_types(facts)]
        result[name] = {"service": name, "sdk": RELEASE, "operations": operations, "types": {}}
    while wanted:
        name, kind = wanted.pop()
        if "." in kind:
            name, kind = kind.split(".")
        types = result.setdefault(name, {"service": name, "sdk": RELEASE, "operations": {}, "types": {}})["types"]
        node = services[name].classes.get(kind)
        if kind in types or node is None or not (services[name].is_enum(kind) or services[name].is_struct(kind)):
            continue
        types[kind] = services[name].type(kind)
        if isinstance(types[kind], dict):
            wanted += [(name, t) for facts in types[kind].values() for t in named_types(facts)]
    return result


def text_of(service):
    """A service as the text of its file."""

    def lines(entries):
        return ",\n".join(f"{json.dumps(k)}:{json.dumps(v, ensure_ascii=False, separators=(',', ':'))}" for k, v in entries)

    operations, types = lines(service["operations"].items()), lines(sorted(service["types"].items()))
    return (
        f'{{"service":"{service["service"]}","sdk":"{service["sdk"]}",\n"operations":{{\n{operations}\n}},\n'
        f'"types":{{\n{types}\n}}}}\n'
    )


def obtain(folder):
    """Download the pinned wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, f"databricks-sdk=={RELEASE}"]
    subprocess.run(command, check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=pathlib.Path, help="the SDK's wheel; downloaded if not given")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "src/catalogue/data")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the data is not current")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = options.wheel or obtain(folder)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != SHA256:
            sys.exit(f"{wheel.name}: SHA-256 is {digest}, the pinned one is {SHA256}")
        texts = {f"{name}.json": text_of(service) for name, service in read(wheel).items()}
    there = {p.name: p.read_text() for p in options.out.glob("*.json") if p.name not in ("extra.json", "forms.json")}
    stale = sorted(name for name in texts.keys() | there.keys() if texts.get(name) != there.get(name))
    if options.check:
        if stale:
            sys.exit("not current: " + ", ".join(stale) + " (run scripts/catalogue.py)")
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in texts:
            (options.out / name).write_text(texts[name])
        else:
            (options.out / name).unlink()
    print(f"{len(texts)} services, {sum(map(len, texts.values()))} bytes, {len(stale)} changed")


if __name__ == "__main__":
    main()
