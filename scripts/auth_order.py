#!/usr/bin/env python3
"""For the same environment: which way of authentication does the official Python SDK pick, and which does Brickform?

Each case is a set of variables, perhaps a profile file, and which programs there are. The SDK's configuration is made in this
process with the network closed and with stand-ins for what would be asked; Brickform says it by `auth describe -o json`, which asks
nobody. Where the two differ on purpose, the case says what Brickform does and why.

    scripts/auth_order.py --binary target/release/brickform

Exit code 0: as expected; 1: the list of what is not; 2: the SDK is missing.
"""

import argparse
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

try:
    import google.auth
    from google.auth import credentials as google_credentials
    from databricks.sdk import config as sdk_config
    from databricks.sdk import credentials_provider as sdk_credentials
    from databricks.sdk import oauth, oidc_token_supplier
    from databricks.sdk.version import __version__ as sdk_version
except ImportError as error:
    print(f"auth_order: databricks-sdk is missing: {error}", file=sys.stderr)
    sys.exit(2)

AZURE = "https://adb-1.2.azuredatabricks.net"
AWS = "https://acme.cloud.databricks.com"


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


JWT = f"{segment({'alg': 'none'})}.{segment({'upn': 'a@b.c', 'sub': 's', 'exp': 4102444800})}.c2ln"
KEY = Path(__file__).resolve().parent.parent / "tests/data/auth/service-account.pem"

PAT = {"DATABRICKS_TOKEN": "t"}
BASIC = {"DATABRICKS_USERNAME": "u", "DATABRICKS_PASSWORD": "p"}
CLIENT = {"DATABRICKS_CLIENT_ID": "c"}
MACHINE = {**CLIENT, "DATABRICKS_CLIENT_SECRET": "s"}
GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://ci.invalid/x?v=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "r"}
GITLAB = {"DATABRICKS_OIDC_TOKEN": JWT}
DEVOPS = {
    "SYSTEM_ACCESSTOKEN": "t", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://ci.invalid/acme/", "SYSTEM_TEAMPROJECTID": "p",
    "SYSTEM_HOSTTYPE": "build", "SYSTEM_PLANID": "1", "SYSTEM_JOBID": "2",
}
ENTRA = {"ARM_CLIENT_ID": "a", "ARM_TENANT_ID": "t"}
ENTRA_SECRET = {**ENTRA, "ARM_CLIENT_SECRET": "s"}
FILE = {"DATABRICKS_OIDC_TOKEN_FILEPATH": "{home}/id.jwt"}
GOOGLE = {"GOOGLE_CREDENTIALS": "{home}/sa.json"}
GOOGLE_ID = {"DATABRICKS_GOOGLE_SERVICE_ACCOUNT": "sa@acme"}
METADATA = {"DATABRICKS_METADATA_SERVICE_URL": "http://127.0.0.1:9/x"}
PROFILES = "[DEFAULT]\nhost = https://one.cloud.databricks.com\ntoken = t\n[machine]\nhost = https://two.cloud.databricks.com\nclient_id = c\nclient_secret = s\n"
DEFAULTED = f"[__settings__]\ndefault_profile = machine\n{PROFILES}"
BOTH = ("az", "databricks")


def forced(name):
    return {"DATABRICKS_AUTH_TYPE": name}


def case(name, host, *variables, profiles=None, programs=(), ours=None, why=None):
    merged = {"DATABRICKS_HOST": host} if host else {}
    for one in variables:
        merged.update(one)
    return {"name": name, "variables": merged, "profiles": profiles, "programs": programs, "ours": ours, "why": why}


CASES = [
    case("nothing", AWS),
    case("nothing, Azure", AZURE),
    case("a token", AWS, PAT),
    case("a token in GitHub", AWS, PAT, GITHUB),
    case("user and password", AWS, BASIC),
    case("a secret", AWS, MACHINE),
    case("a secret in GitHub", AWS, MACHINE, GITHUB),
    case("a secret beside an ID token", AWS, MACHINE, GITLAB),
    case("token and secret", AWS, PAT, MACHINE),
    case("token and secret, forced", AWS, PAT, MACHINE, forced("oauth-m2m")),
    case("token and half a secret", AWS, PAT, CLIENT),
    case("half a secret", AWS, CLIENT),
    case("token and Azure's names", AZURE, PAT, ENTRA),
    case("secret and Azure's names, forced", AZURE, MACHINE, ENTRA_SECRET, forced("oauth-m2m")),
    case("GitHub", AWS, CLIENT, GITHUB),
    case("GitHub without a client", AWS, GITHUB),
    case("GitHub, half of it", AWS, CLIENT, {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://ci.invalid"}),
    case("GitHub, forced", AZURE, CLIENT, GITHUB, forced("github-oidc"), programs=BOTH),
    case("GitHub, Azure's names beside, forced", AZURE, CLIENT, GITHUB, ENTRA, forced("github-oidc")),
    case("GitHub for Entra", AZURE, ENTRA, GITHUB),
    case("GitHub for Entra, forced", AZURE, CLIENT, ENTRA, GITHUB, forced("github-oidc-azure")),
    case("GitLab", AWS, CLIENT, GITLAB),
    case("GitLab, forced", AWS, CLIENT, GITLAB, forced("env-oidc")),
    case("GitLab in GitHub", AWS, CLIENT, GITLAB, GITHUB),
    case("an ID token alone", AWS, GITLAB),
    case("an ID token of another name", AWS, {"DATABRICKS_OIDC_TOKEN_ENV": "MINE", "MINE": JWT}),
    case("an ID token of another name and a client", AWS, CLIENT, {"DATABRICKS_OIDC_TOKEN_ENV": "MINE", "MINE": JWT}),
    case("an ID token that is not there, forced", AWS, CLIENT, forced("env-oidc")),
    case("a file", AWS, FILE),
    case("a file and a client", AWS, FILE, CLIENT),
    case("a file and a client, forced", AWS, FILE, CLIENT, forced("file-oidc")),
    case("a file by its other name", AWS, {"DATABRICKS_OIDC_TOKEN_FILE": "{home}/id.jwt"}),
    case("Azure DevOps", AWS, CLIENT, DEVOPS),
    case("Azure DevOps, without its token", AWS, CLIENT, {k: v for k, v in DEVOPS.items() if k != "SYSTEM_ACCESSTOKEN"}),
    case("Azure DevOps and `az`", AZURE, CLIENT, DEVOPS, programs=BOTH),
    case("Azure DevOps and `az`, forced", AZURE, CLIENT, DEVOPS, forced("azure-devops-oidc"), programs=BOTH),
    case("Entra", AZURE, ENTRA_SECRET),
    case("Entra in GitHub", AZURE, ENTRA_SECRET, GITHUB),
    case("Entra without a secret", AZURE, ENTRA),
    case("Entra without a secret, `az`", AZURE, ENTRA, programs=BOTH),
    case("`az`", AZURE, programs=BOTH),
    case("`az` for another cloud", AWS, programs=("az",)),
    case("`databricks`", AWS, programs=BOTH),
    case("`databricks`, forced", AZURE, forced("databricks-cli"), programs=BOTH),
    case("`databricks` that is not there, forced", AWS, forced("databricks-cli")),
    case("a metadata service", AWS, METADATA),
    case("Google's key", AWS, GOOGLE),
    case("Google's account", AWS, GOOGLE_ID),
    case("a managed identity", AZURE, {"ARM_USE_MSI": "true"}, ours="azure-msi", why="the Go SDK has it, the Python SDK has not"),
    case("the file's own default", None, profiles=PROFILES),
    case("the file's named default", None, profiles=DEFAULTED),
    case("a profile", None, {"DATABRICKS_CONFIG_PROFILE": "machine"}, profiles=PROFILES),
    case("a host, so no profile", AWS, profiles=PROFILES),
    case("a token and a profile of the same sort", None, PAT, {"DATABRICKS_CONFIG_PROFILE": "DEFAULT"}, profiles=PROFILES),
    case(
        "a token and a profile of another sort", None, PAT, {"DATABRICKS_CONFIG_PROFILE": "machine"}, profiles=PROFILES,
        ours="pat", why="a variable is more explicit than the profile of a variable: it wins without being asked",
    ),
    case("only the way is said", None, forced("pat"), profiles=PROFILES),
]


def programs(folder, names):
    """Programs that are logged in. The SDK takes a `databricks` of less than a megabyte for the one of old."""
    token = {"accessToken": JWT, "tokenType": "Bearer", "expiresOn": "2099-01-01 00:00:00.000000"}
    cli = {"access_token": JWT, "token_type": "Bearer", "expiry": "2099-01-01T00:00:00Z", "Major": 0, "Minor": 300, "Patch": 0}
    for name in names:
        answer = json.dumps(token if name == "az" else cli)
        file = folder / name
        file.write_text(f"#!/bin/sh\necho '{answer}'\nexit 0\n" + "#" * (1 << 20))
        file.chmod(0o755)


def of_sdk(variables):
    """What the SDK picks, with the network closed."""
    token = oauth.Token(access_token="t", token_type="Bearer")
    endpoints = oauth.OidcEndpoints(authorization_endpoint="https://x.invalid/a", token_endpoint="https://x.invalid/t")
    github = lambda _self, _audience: "t" if all(os.environ.get(name) for name in GITHUB) else None

    def closed(*_):
        raise OSError("the network is closed")

    with ExitStack() as stack:
        def patch(target, name, *new, **more):
            stack.enter_context(mock.patch.object(target, name, *new, **more))

        stack.enter_context(mock.patch.dict(os.environ, variables, clear=True))
        patch(socket.socket, "connect", closed)
        patch(sdk_config.Config, "_resolve_host_metadata", lambda _self: None)
        patch(sdk_config.Config, "load_azure_tenant_id", lambda _self: None)
        patch(sdk_config.Config, "databricks_oidc_endpoints", new_callable=mock.PropertyMock, return_value=endpoints)
        patch(oidc_token_supplier.GitHubOIDCTokenSupplier, "get_oidc_token", github)
        patch(oidc_token_supplier.AzureDevOpsOIDCTokenSupplier, "get_oidc_token", lambda _self, _audience: "t")
        patch(sdk_credentials.MetadataServiceTokenSource, "refresh", lambda _self: token)
        patch(google.auth, "default", lambda *_, **__: (google_credentials.AnonymousCredentials(), None))
        try:
            return sdk_config.Config().auth_type
        except ValueError as error:
            if "more than one authorization method" in str(error):
                return "conflict"
            if "cannot configure default credentials" in str(error):
                return "none"
            return f"error: {error}"


def of_brickform(binary, project, variables):
    """What Brickform picks."""
    ran = subprocess.run([binary, "auth", "describe", "--env", "e", "-o", "json"], cwd=project, env=variables, capture_output=True, text=True)
    try:
        told = json.loads(ran.stdout)
    except ValueError:
        return f"error: {ran.stdout}{ran.stderr}"
    error = told.get("error")
    if not error:
        return told["auth_type"]
    if "more than one authorization method" in error:
        return "conflict"
    parts = ("no credentials for", "cannot be used here", "` beside ", "no workspace is configured")
    return "none" if any(part in error for part in parts) else f"error: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", default="target/debug/brickform", help="the program")
    options = parser.parse_args()
    binary = str(Path(options.binary).resolve())
    wrong = []
    for one in CASES:
        with tempfile.TemporaryDirectory() as folder:
            home, project = Path(folder) / "home", Path(folder) / "project"
            (project / "conf").mkdir(parents=True)
            (project / "environments").mkdir()
            home.mkdir()
            (project / "conf/project.yaml").write_text("name: p\n")
            (project / "environments/e.yaml").write_text("workspace: { account_id: a }\n")
            (home / "id.jwt").write_text(JWT)
            key = {"type": "service_account", "client_email": "sa@acme", "token_uri": "https://x.invalid", "private_key_id": "k", "private_key": KEY.read_text()}
            (home / "sa.json").write_text(json.dumps(key))
            if one["profiles"]:
                (home / ".databrickscfg").write_text(one["profiles"])
            programs(home, one["programs"])
            variables = {name: value.replace("{home}", str(home)) for name, value in one["variables"].items()}
            variables |= {"HOME": str(home), "PATH": str(home)}
            sdk, ours = of_sdk(variables), of_brickform(binary, project, variables)
        expected = one["ours"] or sdk
        verdict = "same" if ours == sdk else "on purpose" if ours == expected else "WRONG"
        print(f"{verdict:10}  {one['name']:44}  SDK {sdk:20}  Brickform {ours}" + (f"  ({one['why']})" if one["why"] else ""))
        if ours != expected or (one["ours"] and ours == sdk):
            wrong.append(one["name"])
    print(f"{len(CASES)} environments, SDK {sdk_version}: {len(wrong)} not as expected" + (f": {', '.join(wrong)}" if wrong else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
