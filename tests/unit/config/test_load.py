"""Every wrong setting is refused at start, with its name and what would be right; no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.config import Settings, SettingsError, load_settings
from service.config.settings import PREFIX

SECRET = "hunter2-hunter2"


def problems(environment: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """What is said about these variables (their names without the prefix)."""
    for name, value in variables.items():
        environment.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.problems


def test_without_any_there_are_defaults() -> None:
    settings = load_settings()
    assert settings.api_host == "127.0.0.1"
    assert settings.roles == {"api", "projector", "worker"}
    assert settings.event_store == ""


def test_values_are_read_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    for name, value in {
        "API_PORT": "0",
        "ROLES": " worker , webhook,",
        "PASS_UNMODERATED": "true",
        "LEASE_SECONDS": "2.5",
        "API_TOKENS": "bot:0123456789abcdef, billing:fedcba9876543210",
        "EVENT_STORE": "host=/run/postgresql dbname=triptych",
        "WEBHOOK_PUBLIC_URL": "https://hooks.example/",
        "LOG_FORMAT": "",
    }.items():
        environment.setenv(PREFIX + name, value)
    settings = load_settings()
    assert settings.api_port == 0
    assert settings.roles == {"worker", "webhook"}
    assert (settings.pass_unmoderated, settings.lease_seconds) == (True, 2.5)
    assert settings.webhook_public_url == "https://hooks.example"
    assert settings.log_format == "text"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "triptych.toml"
    file.write_text('api_port = 1\nwebhook_port = 1\npool_size = 3\nroles = ["api"]\n')
    environment.setenv("TRIPTYCH_SETTINGS_FILE", str(file))
    environment.setenv("TRIPTYCH_API_PORT", "2")
    environment.setenv("TRIPTYCH_WEBHOOK_PORT", "2")
    settings = load_settings(api_port=3, log_level=None)
    assert (settings.api_port, settings.webhook_port, settings.pool_size) == (3, 2, 3)
    assert settings.roles == {"api"}


WRONG = [
    ("API_PORT", "x", "must be a whole number from 0 to 65535"),
    ("API_PORT", "-1", "must be a whole number from 0 to 65535"),
    ("API_PORT", "65536", "must be a whole number from 0 to 65535"),
    ("WEBHOOK_PORT", "80.5", "must be a whole number from 0 to 65535"),
    ("MAX_UPLOAD_BYTES", "1023", "must be a whole number from 1024 to 1073741824"),
    ("MAX_MEDIA_BYTES", "0", "must be a whole number from 1048576 to 4294967296"),
    ("MAX_SUBMIT_ATTEMPTS", "0", "must be a whole number from 1 to 100"),
    ("WORKER_CONCURRENCY", "1001", "must be a whole number from 1 to 1000"),
    ("PROCESSES", "0", "must be a whole number from 1 to 64"),
    ("POOL_SIZE", "1", "must be a whole number from 2 to 200"),
    ("LEASE_SECONDS", "0", "must be a number above 0 and at most 86400"),
    ("LEASE_SECONDS", "nan", "must be a number above 0 and at most 86400"),
    ("LEASE_SECONDS", "inf", "must be a number above 0 and at most 86400"),
    ("MODERATION_TIMEOUT_SECONDS", "ten", "must be a number above 0 and at most 86400"),
    ("PASS_UNMODERATED", "maybe", "must be true or false"),
    ("ALLOW_PRIVATE_MEDIA_URLS", "2", "must be true or false"),
    ("LOG_LEVEL", "loud", "must be one of: debug, info, warning, error"),
    ("LOG_FORMAT", "xml", "must be one of: text, json"),
    ("ROLES", "api,wroker", "must be any of these, separated by commas: api, projector, worker, webhook, web"),
    ("ROLES", " , ", "name at least one of: api, projector, worker, webhook, web"),
    ("EVENT_STORE", "mysql://db", "must be postgresql://user:password@host:port/database, or 'host=... dbname=...'"),
    ("READ_MODELS", "db", "must be postgresql://user:password@host:port/database, or 'host=... dbname=...'"),
    ("EVENT_STORE", f"postgresql://u:{SECRET}%zz@db/x", "cannot be read: write special characters of the user name"),
    ("WEBHOOK_PUBLIC_URL", "hooks.example", "must be an address such as https://host"),
    ("WEBHOOK_PUBLIC_URL", "https://", "must be an address such as https://host"),
    ("WEBHOOK_PUBLIC_URL", "https://hooks.example?x=1", "must be an address such as https://host"),
    ("OPENAI_BASE_URL", "ftp://x", "must be an address such as https://host"),
    ("FAL_JWKS_URL", "file:///etc/passwd", "must be an address such as https://host"),
    ("FAL_QUEUE_HOST", "https://queue.fal.run", "must be a host name with an optional port"),
    ("FAL_QUEUE_HOST", "queue fal run", "must be a host name with an optional port"),
    ("CATALOG_FILE", "/no/such/file", "there is no file '/no/such/file'"),
    ("CA_FILE", "/no/such/file", "there is no file '/no/such/file'"),
    ("API_TLS_CERT_FILE", "/no/such/file", "there is no file '/no/such/file'"),
    ("API_TLS_KEY_FILE", "/", "there is no file '/'"),
    ("WEBHOOK_SECRET", "short", "must have at least 16 characters"),
    ("API_TOKENS", "bot", "entry 1 must be name:token with a token of at least 16 characters"),
    ("API_TOKENS", "bot:short", "entry 1 must be name:token with a token of at least 16 characters"),
    ("API_TOKENS", ":0123456789abcdef", "entry 1 must be name:token with a token of at least 16 characters"),
    ("API_TOKENS", "a:0123456789abcdef,a:fedcba9876543210", "entry 2 has the same name as one before it"),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_a_wrong_value(environment: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
    (problem,) = problems(environment, **{name: value})
    assert problem.startswith(f"{PREFIX}{name}: {expected}")
    assert "Input" not in problem
    assert SECRET not in problem


def test_all_problems_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    found = problems(environment, API_PORT="x", LOG_LEVEL="loud", POOL_SIZE="0", API_PROT="1")
    assert [problem.partition(":")[0] for problem in found] == [
        "TRIPTYCH_API_PROT",
        "TRIPTYCH_API_PORT",
        "TRIPTYCH_POOL_SIZE",
        "TRIPTYCH_LOG_LEVEL",
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("API_PROT", "did you mean TRIPTYCH_API_PORT?"),
        ("WEBHOOK_SECRTE", "did you mean TRIPTYCH_WEBHOOK_SECRET?"),
        ("SETTING_FILE", "did you mean TRIPTYCH_SETTINGS_FILE?"),
        ("ZZZZZZ", "docs/settings.md lists those there are"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(environment: pytest.MonkeyPatch, name: str, hint: str) -> None:
    (problem,) = problems(environment, **{name: SECRET})
    assert problem == f"{PREFIX}{name}: there is no such setting; {hint}"


def test_names_of_clients_and_tests_are_no_settings(environment: pytest.MonkeyPatch) -> None:
    for name in ("SERVER", "TOKEN", "USER", "TEST_ANYTHING", "WEB_PORT", "TELEGRAM_TOKEN"):
        environment.setenv(PREFIX + name, "x")
    load_settings()


def test_a_certificate_without_its_key(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.touch()
    (problem,) = problems(environment, API_TLS_CERT_FILE=str(certificate))
    assert problem == "TRIPTYCH_API_TLS_CERT_FILE and TRIPTYCH_API_TLS_KEY_FILE: set both or neither"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"api_prot = 1", "TRIPTYCH_API_PROT: there is no such setting; did you mean TRIPTYCH_API_PORT?"),
        (b"zzzzzz = 1", "TRIPTYCH_ZZZZZZ: there is no such setting; docs/settings.md lists those there are"),
        (b"openai_model = 5", "TRIPTYCH_OPENAI_MODEL: must be text"),
        (b"data_dir = 5", "TRIPTYCH_DATA_DIR: must be a path"),
        (b"fal_key = 5", "TRIPTYCH_FAL_KEY: must be text"),
        (b"api_port = ", "TRIPTYCH_SETTINGS_FILE: {file} cannot be read as TOML: "),
        (b"\xff", "TRIPTYCH_SETTINGS_FILE: {file} cannot be read as TOML: "),
    ],
)
def test_a_wrong_file(environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "triptych.toml"
    file.write_bytes(content)
    (problem,) = problems(environment, SETTINGS_FILE=str(file))
    assert problem.startswith(expected.format(file=file))


def test_a_file_that_is_not_there(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (problem,) = problems(environment, SETTINGS_FILE=str(tmp_path))
    assert problem == f"TRIPTYCH_SETTINGS_FILE: there is no file {str(tmp_path)!r}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVENT_STORE", f"mysql://user:{SECRET}@db/x"),
        ("READ_MODELS", f"mysql://user:{SECRET}@db/x"),
        ("API_TOKENS", f"{SECRET}"),
        ("API_TOKENS", f"bot:{SECRET}"),
        ("WEBHOOK_SECRET", SECRET),
        ("OPENAI_BASE_URL", f"user:{SECRET}@host"),
    ],
)
def test_a_refusal_shows_no_secret(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert SECRET not in "\n".join(problems(environment, **{name: value}))


def test_settings_that_are_printed_show_no_secret(environment: pytest.MonkeyPatch) -> None:
    long_secret = SECRET * 2
    for name in ("FAL_KEY", "OPENAI_API_KEY", "WEBHOOK_SECRET"):
        environment.setenv(PREFIX + name, long_secret)
    environment.setenv("TRIPTYCH_API_TOKENS", f"bot:{long_secret}")
    for name in ("EVENT_STORE", "READ_MODELS"):
        environment.setenv(PREFIX + name, f"postgresql://user:{long_secret}@db/x")
    settings = load_settings()
    assert SECRET not in repr(settings) + str(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().api_port = 1
