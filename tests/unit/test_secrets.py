"""Secrets are found wherever they are, and told without themselves.

Every secret here is put together when a test runs, so that none is in this repository.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import re
import string
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import uvmagic
from uvmagic.bundle.secrets import Finding, Inspection, fingerprint, in_file
from uvmagic.data import secrets
from uvmagic.errors import BundleRefused

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URL_SAFE = ALNUM + "-_"


def made(length: int, alphabet: str = ALNUM, seed: int = 1) -> str:
    """What looks random, and is the same each time."""
    chosen = random.Random(f"{length} {alphabet} {seed}")
    return "".join(chosen.choice(alphabet) for _ in range(length))


PEM = "\n".join(
    [
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        *(made(64, ALNUM + "+/", n) for n in range(20)),
        "-----END " + "RSA PRIVATE KEY-----",
    ]
)
BY_RULE = {
    "aws-access-key": ["AKI" + "A" + made(16, UPPER), "ASI" + "A" + made(16, UPPER)],
    "aws-bedrock-key": ["ABSKQmVkcm9ja0FQSUtleS" + made(80)],
    "github-token": [
        *(f"gh{kind}_" + made(36) for kind in "pousr"),
        "ghs_" + f"123456_eyJ{made(30)}.eyJ{made(200)}.{made(80)}",
    ],
    "github-fine-grained-token": ["github_" + f"pat_{made(22)}_{made(59)}"],
    "gitlab-token": ["glpat" + "-" + made(20), "glrt" + f"-{made(27)}.01.{made(9, HEX)}"],
    "pypi-token": ["pypi" + "-AgEIcHlwaS5vcmc" + made(120, URL_SAFE)],
    "huggingface-token": ["hf" + "_" + made(34)],
    "anthropic-key": ["sk-ant" + f"-api03-{made(93, URL_SAFE)}AA"],
    "openai-key": ["sk-" + f"proj-{made(120, URL_SAFE)}"],
    "openrouter-key": ["sk-or" + f"-v1-{made(64, HEX)}"],
    "sk-key": ["sk" + "-" + made(48)],
    "groq-key": ["gsk" + "_" + made(52)],
    "replicate-token": ["r8" + "_" + made(37)],
    "nvidia-key": ["nvapi" + "-" + made(64)],
    "langsmith-key": ["lsv2_" + f"pt_{made(32, HEX)}_{made(10, HEX)}"],
    "databricks-token": ["dap" + "i" + made(32, HEX)],
    "slack-token": ["xox" + f"b-{made(11, '123')}-{made(24)}"],
    "slack-webhook": ["hooks.slack.com" + f"/services/T{made(8)}/B{made(8)}/{made(24)}"],
    "google-api-key": ["AIz" + "a" + made(35, ALNUM)],
    "google-oauth-secret": ["GOCSPX" + "-" + made(28, ALNUM)],
    "google-oauth-token": ["ya29" + "." + made(60)],
    "stripe-key": ["sk" + "_live_" + made(24)],
    "npm-token": ["npm" + "_" + made(36)],
    "docker-token": ["dckr" + "_pat_" + made(27)],
    "digitalocean-token": ["dop" + "_v1_" + made(64, HEX)],
    "sendgrid-key": ["SG" + f".{made(22)}.{made(43)}"],
    "vault-token": ["hvs" + "." + made(90)],
    "grafana-token": ["glsa" + f"_{made(32)}_{made(8, HEX)}"],
    "age-key": ["AGE-SECRET" + "-KEY-1" + made(58, UPPER)],
    "jwt": [f"eyJ{made(20)}.eyJ{made(60)}.{made(43)}"],
    "private-key": [PEM, PEM.replace("RSA ", "")],
    "url-password": ["https" + "://someone:hunter2" + "@example.org/simple"],
    "url-token": ["https" + f"://{made(40)}" + "@example.org/repo.git"],
}
SECRETS = [(rule, secret) for rule, secrets in BY_RULE.items() for secret in secrets]
AWS, GITHUB = BY_RULE["aws-access-key"][0], BY_RULE["github-token"][0]


def told(text: str | bytes, path: str = "code.py") -> list[Finding]:
    return in_file(path, text.encode() if isinstance(text, str) else text)


def kinds(text: str | bytes, path: str = "code.py") -> list[str]:
    return [finding.what for finding in told(text, path)]


def what(rule: str) -> str:
    return next(row.what for row in secrets.rules() if row.name == rule)


def begins_of(rule: str) -> tuple[str, ...]:
    return next(row.begins for row in secrets.rules() if row.name == rule)


def core(secret: str) -> str:
    """The part of it that no message may have."""
    return "hunter2" if "hunter2" in secret else secret[len(secret) // 2 :]


# --- the table ------------------------------------------------------------------------------------


def test_every_rule_of_the_table_has_an_example_here() -> None:
    assert set(BY_RULE) == {rule.name for rule in secrets.rules()}


def test_a_rule_has_its_source_and_begins_with_something_that_can_be_found_fast() -> None:
    for rule in secrets.rules():
        assert rule.source
        assert all(len(begins) >= 3 for begins in rule.begins), rule.name


@pytest.mark.parametrize(("rule", "secret"), SECRETS)
@pytest.mark.parametrize("around", ["{}", "x = '{}'", 'say("{}\\n")', "({})", "\\n{}", "a\n\t{} b"])
def test_a_secret_is_found_by_its_form(rule: str, secret: str, around: str) -> None:
    found = told(around.replace("{}", secret))
    assert what(rule) in [finding.what for finding in found]
    assert {finding.line for finding in found} == {1 + around.count("\n")}
    assert not any(core(secret) in str(finding) for finding in found)


@pytest.mark.parametrize("rule", BY_RULE)
def test_the_beginning_of_a_secret_is_none(rule: str) -> None:
    for secret in BY_RULE[rule]:
        begins = next(b for b in begins_of(rule) if b in secret)
        assert told("x " + secret[: secret.index(begins) + len(begins) + 12]) == []


@pytest.mark.parametrize("rule", [rule for rule in BY_RULE if rule not in ("jwt", "private-key")])
def test_a_form_that_is_filled_in_later_is_no_secret(rule: str) -> None:
    secret = BY_RULE[rule][0]
    begins = next(b for b in begins_of(rule) if b in secret)
    head, tail = secret.split(begins, 1)
    assert told(head + begins + re.sub("[A-Za-z0-9]", "x", tail)) == []


# --- what is no secret ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "token = '<token>'",
        "api_key = 'your-api-key-goes-here'",
        "password = 'xxxxxxxxxxxx'",
        'TOKEN="${TOKEN}"',
        "token = os.environ['TOKEN']",
        'token = os.environ.get("MY_API_TOKEN_V2", "")',
        "password = getpass.getpass('Password: ')",
        "password = f'{user}-{number}'",
        "api_key=settings.openai_api_key_v2",
        "eos_token = '<|endoftext|>'",
        "token = tokenizer.encode('bert-base-uncased-v2')",
        "secret_name = 'projects/123456/secrets/my-key/versions/7'",
        "token_url = 'https://login.example.com/oauth2/v2.0/token'",
        "tokenizer = 'Wav2Vec2FeatureExtractor'",
        "token_type = 'gpt2-medium-355M-v1'",
        "{'token': '2024-05-01T12:00:00Z'}",
        "fields = ['user', 'passwd', 'sub-module2']",
        "https://{user}:{password}@example.org",
        "https://$USER:$PASS@example.org",
        "https://<user>:<password>@example.org",
        "https://someone:***@example.org",
        "https://example.org:8080/@scope/package",
        "docker://ubuntu:22.04@sha256:abcdef",
        "git+ssh://git@github.com/someone/something.git",
        "git+https://github.com/a/b@v1.0",
        "-----BEGIN " + "PRIVATE KEY-----",
        "assert text.startswith('-----BEGIN " + "PRIVATE KEY-----') and then some words follow",
        "-----BEGIN " + "CERTIFICATE-----\n" + made(64),
        "-----BEGIN " + "PUBLIC KEY-----\n" + made(64),
        "task-" + made(40),
        "half_" + made(34),
        "MAKIA" + made(16, UPPER),
    ],
)
def test_what_only_stands_for_a_secret_is_none(text: str) -> None:
    assert kinds(text) == []


def test_hashes_are_none() -> None:
    digests = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(200)]
    lock = "\n".join(f'{{ url = "https://e.org/a.whl", hash = "sha256:{d}" }}' for d in digests)
    assert told(lock, "uv.lock") == []
    listed = {f"data/{n}/token": digest for n, digest in enumerate(digests)}
    assert told(json.dumps({"files": listed}, indent=1), "bundle.json") == []
    record = "\n".join(f"pkg/secret.py,sha256={d[:43]},1" for d in digests)
    assert told(record, "pkg-1.dist-info/RECORD") == []


@given(st.binary(min_size=1, max_size=3000))
def test_an_image_is_none(content: bytes) -> None:
    image = {"image/png": base64.b64encode(content).decode() + "\n"}
    assert told(notebook({"outputs": [{"data": image, "metadata": {}}]}), "n.ipynb") == []


def test_uvmagic_itself_has_none() -> None:
    root = Path(uvmagic.__file__).parent
    files = [file for file in root.rglob("*") if file.suffix in (".py", ".json", ".ipynb")]
    assert len(files) > 50
    assert [str(f) for file in files for f in in_file(file.name, file.read_bytes())] == []


# --- by the name that it is given to --------------------------------------------------------------

RANDOM = made(24, seed=4)


@pytest.mark.parametrize(
    "text",
    [
        f"api_key = '{RANDOM}'",
        f'"client_secret": "{RANDOM}"',
        f"os.environ['WANDB_API_KEY'] = '{RANDOM}'",
        f"os.environ.setdefault('KEY_OF_TOKEN', '{RANDOM}')",
        f"token: str = '{RANDOM}'",
        f"connect(password='{RANDOM}')",
        f"%env MY_TOKEN={RANDOM}",
        f"%env MY_TOKEN {RANDOM}",
        f"!tool --token {RANDOM}",
        f"export ACCESS_KEY={RANDOM}",
        f"Authorization: Bearer {RANDOM}",
        f"Endpoint=x;AccountName=y;AccountKey={RANDOM}==;",
        f'"secret": "AccountName=name;AccountKey={RANDOM}=="',
        f"secret = '{made(32, HEX)}'",
        "aws_secret" + "_access_key = '" + "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY'",
        "password = '" + "hunter2'",
        '{"db_password": "' + 'Tr0ub4dor&3"}',
        '"{\\"password\\": \\"' + 'hunter2\\"}"',
    ],
)
def test_a_secret_is_found_by_the_name_that_it_is_given_to(text: str) -> None:
    assert kinds(text) == ["a secret by its name"]
    assert RANDOM not in str(told(text))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_what_has_a_form_and_a_name_is_told_once(quote: str) -> None:
    assert kinds(f"token = {quote}{GITHUB}{quote}") == ["GitHub token"]
    url = "https" + f"://someone:{GITHUB}" + "@github.com"
    assert kinds(url) == ["GitHub token"]


def test_one_within_another_is_told_too() -> None:
    begun = PEM.rpartition("\n")[0]
    assert sorted(kinds(f"{begun}\n{AWS}\n")) == ["AWS access key id", "private key"]


# --- escapes, encodings, archives -----------------------------------------------------------------


def escaped(text: str, form: str) -> str:
    return "".join(form.format(ord(character)) for character in text)


@pytest.mark.parametrize("form", ["\\u{:04x}", "\\x{:02X}", "\\U{:08x}", "\\\\u{:04x}"])
def test_an_escape_hides_nothing(form: str) -> None:
    assert kinds(f'x = "{escaped(AWS, form)}"') == ["AWS access key id"]
    assert kinds(f'x = "{escaped(AWS[:1], form)}{AWS[1:]}"', "a.json") == ["AWS access key id"]


def test_what_looks_like_an_escape_hides_nothing_either() -> None:
    assert kinds("C:\\" + BY_RULE["npm-token"][0]) == ["npm token"]


def test_a_colour_hides_nothing() -> None:
    assert kinds(f"x\x1b[31m{GITHUB}\x1b[0m") == ["GitHub token"]
    assert kinds(f"{GITHUB[:9]}\x1b[0;31m{GITHUB[9:]}") == ["GitHub token"]
    assert kinds(f'"x\\u001b[31m{GITHUB}"') == ["GitHub token"]


def test_a_key_in_one_line_is_the_same_key() -> None:
    one_line = json.dumps({"key": PEM})
    assert [f.fingerprint for f in told(one_line)] == [f.fingerprint for f in told(PEM)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_an_encoding_hides_nothing(encoding: str) -> None:
    assert kinds(f"é\nx = '{GITHUB}'\n".encode(encoding)) == ["GitHub token"]


def test_what_is_no_text_is_looked_through_too() -> None:
    assert kinds(b"\0\1\2\n" + GITHUB.encode() + b"\0\xff", "model.pkl") == ["GitHub token"]


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_is_looked_into() -> None:
    inner = zipped(**{"pkg/mod.py": f"\nx = '{GITHUB}'".encode(), "pkg/.env": b"A=1"})
    found = told(zipped(**{"a.whl": inner}), "b.zip")
    assert [(f.file, f.line) for f in found] == [
        ("b.zip/a.whl/pkg/mod.py", 2),
        ("b.zip/a.whl/pkg/.env", 0),
    ]
    assert kinds(gzip.compress(GITHUB.encode()), "table.csv.gz") == ["GitHub token"]


def test_an_archive_that_is_broken_is_passed_over() -> None:
    whole = zipped(a=b"x" * 100)
    assert told(whole[:60], "a.zip") == []
    assert told(b"PK\3\4 no zip", "a.zip") == []
    assert told(b"\x1f\x8b no gzip", "a.gz") == []


def test_the_name_of_a_member_draws_nothing_on_the_terminal() -> None:
    found = told(zipped(**{"\x1b[2Jx.py": GITHUB.encode()}), "a.whl")
    assert [f.file for f in found] == ["a.whl/?[2Jx.py"]


# --- notebooks ------------------------------------------------------------------------------------


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    known = {"cell_type": "code", "metadata": {}, "source": [], "outputs": []}
    return json.dumps(
        {"cells": [known | cell for cell in cells], "metadata": metadata, "nbformat": 4}
    )


@pytest.mark.parametrize(
    ("cell", "where"),
    [
        ({"source": ["import os\n", f"x = '{GITHUB}'\n"]}, ("cell 2", 2)),
        ({"source": f"a\nb\n{GITHUB}"}, ("cell 2", 3)),
        ({"source": [GITHUB[:9], GITHUB[9:]]}, ("cell 2", 1)),
        ({"outputs": [{"text": ["a\n", GITHUB]}]}, ("cell 2, output", 2)),
        ({"outputs": [{"data": {"text/html": f"<b>{GITHUB}</b>"}}]}, ("cell 2, output", 1)),
        ({"outputs": [{"data": {"application/json": {"a": [{"b": GITHUB}]}}}]}, None),
        ({"outputs": [{"traceback": [f"\x1b[31m{GITHUB}"]}]}, ("cell 2, output", 1)),
        ({"metadata": {"papermill": {"parameters": {"x": GITHUB}}}}, ("cell 2, metadata", 1)),
        ({"metadata": {GITHUB: {"a": 1}}}, ("cell 2, metadata", 1)),
        ({"metadata": {GITHUB: 1}}, ("cell 2, metadata", 1)),
        ({"attachments": {"a.txt": {"text/plain": GITHUB}}}, ("cell 2, attachment", 1)),
        ({"id": GITHUB}, ("cell 2, metadata", 1)),
    ],
)
def test_a_secret_in_a_notebook_is_told_by_its_cell(
    cell: dict[str, Any], where: tuple[str, int] | None
) -> None:
    found = told(notebook({"source": "1\n2"}, cell), "n.ipynb")
    assert [f.what for f in found] == ["GitHub token"]
    assert [(f.place, f.line) for f in found] == [where or ("cell 2, output", 1)]


def test_a_parameter_is_given_to_a_name() -> None:
    parameters = {"password": "hunter2", "n": 1}
    found = told(notebook(papermill={"parameters": parameters}), "n.ipynb")
    assert [(f.place, f.what) for f in found] == [
        ("the notebook's metadata", "a secret by its name")
    ]


def test_a_key_that_is_there_twice_hides_nothing() -> None:
    twice = f'{{"cells": [], "metadata": {{"a": "{GITHUB}", "a": ""}}, "cells": []}}'
    assert kinds(twice, "n.ipynb") == ["GitHub token"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cells": 1}', '{"cells": [1, null]}', "[" * 9999]
)
def test_what_is_no_notebook_is_looked_through_as_text(text: str) -> None:
    assert told(text, "n.ipynb") == []
    assert "GitHub token" in kinds(f"{text}\n{GITHUB}", "n.ipynb")


# --- files by their names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [".env", "a/.env", ".env.local", ".ENV", "prod.env", ".netrc", ".pypirc", "ssh/id_rsa",
     "id_ed25519", "home/.aws/credentials", "kaggle.json", "a.p12"],
)  # fmt: skip
def test_a_file_that_is_made_for_secrets_is_one(path: str) -> None:
    assert kinds("A=1", path) == ["a file that is made to hold secrets"]
    assert str(told("A=1", path)[0]) == f"{path}: a file that is made to hold secrets"


@pytest.mark.parametrize(
    "path",
    [".env.example", "a/.env.template", "environment.py", "id_rsa.pub", "credentials", "env",
     ".env.d.py/x", "config.json"],
)  # fmt: skip
def test_a_file_of_another_name_is_none(path: str) -> None:
    assert kinds("DB_PASSWORD=changeme\nTOKEN=<token>", path) == []


def test_an_example_with_a_secret_in_it_is_told_by_line() -> None:
    assert [f.line for f in told(f"A=1\nTOKEN={GITHUB}", ".env.example")] == [2]


# --- fingerprints ---------------------------------------------------------------------------------


@given(st.sampled_from(SECRETS), st.text("ab \n='\"(", max_size=40), st.text(" \n)", max_size=20))
def test_a_fingerprint_does_not_depend_on_the_place(
    pair: tuple[str, str], before: str, after: str
) -> None:
    rule, secret = pair
    alone = {f.fingerprint for f in told(secret) if f.what == what(rule)}
    assert len(alone) == 1
    assert alone <= {f.fingerprint for f in told(f"{before}\n{secret}\n{after}", "other.txt")}
    assert alone <= {f.fingerprint for f in told(notebook({"source": secret}), "n.ipynb")}


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_secrets_have_two_fingerprints_and_none_has_the_secret(one: str, two: str) -> None:
    same = "".join(one.split()) == "".join(two.split())
    assert (fingerprint("rule", one) == fingerprint("rule", two)) == same
    assert fingerprint("rule", one) != fingerprint("another", one)
    assert re.fullmatch("[0-9a-f]{12}", fingerprint("rule", one))


def test_an_excerpt_has_a_secret_not_even_where_its_name_has_it() -> None:
    found = told(f"password_{RANDOM} = '{RANDOM}'")
    assert [str(f) for f in found] == ["code.py, line 1: a secret by its name password_ = …"]
    assert RANDOM not in str(found)


def test_what_is_allowed_goes_along_and_is_told() -> None:
    files = [("a.py", f"\nx = '{GITHUB}'".encode()), ("b.py", AWS.encode())]
    with pytest.raises(BundleRefused) as refused:
        Inspection(()).require_none(files)
    message = str(refused.value)
    assert GITHUB not in message
    assert AWS not in message
    prints = re.findall(r"[0-9a-f]{12}", message)
    assert f"a.py, line 2: GitHub token ghp_…   {prints[0]}" in message
    assert f"b.py, line 1: AWS access key id AKIA…   {prints[1]}" in message
    with pytest.raises(BundleRefused) as refused:
        Inspection(prints[:1]).require_none(files)
    assert "a.py" not in str(refused.value)
    allowed = Inspection(prints)
    allowed.require_none(files)
    allowed.require_none(files)
    assert allowed.note() == (
        "Allowed to go along: a.py, line 2: GitHub token ghp_…; "
        "b.py, line 1: AWS access key id AKIA…."
    )
    assert Inspection(()).note() is None


def test_a_message_stays_one_that_can_be_read() -> None:
    tokens = "\n".join("ghp" + "_" + made(36, seed=n) for n in range(1000))
    with pytest.raises(BundleRefused) as refused:
        Inspection(()).require_none([("a.py", tokens.encode())])
    assert len(str(refused.value).splitlines()) < 60
    assert "and 950 more" in str(refused.value)


# --- hostile input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    ["a", "token", "token='", "password: ", "-----BEGIN ", "-----BEGIN " + "PRIVATE KEY-----",
     "-eyJ", " eyJaaaaaaaaa.", "://a", "://a:b", "AKIA", "sk-", "\\", "\\\\u0041", "secret=a",
     " ghs_1_eyJaaaaaaaa.", "token: a.b["],
)  # fmt: skip
def test_ten_megabytes_of_one_line_come_to_an_end(unit: str) -> None:
    content = (unit * (10_000_000 // len(unit))).encode()
    assert told(content + b" " + GITHUB.encode(), "one_line.txt")[-1].what == "GitHub token"
