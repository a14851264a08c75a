"""The contract's guards hold today's contract, and each of them bites when it should."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools import protos
from tools.protos import ToolFailed


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A copy of the contract that a test may change."""
    shutil.copytree(protos.PROTOS, tmp_path / "protos")
    shutil.copy(protos.ROOT / "buf.yaml", tmp_path)
    return tmp_path


def change(contract: Path, name: str, old: str, new: str) -> None:
    path = contract / "protos/triptych/v1" / name
    text = path.read_text()
    assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new))


def test_contract_is_clean_and_generated_code_is_fresh() -> None:
    protos.check()


def test_contract_breaks_no_caller_of_the_last_release() -> None:
    protos.find_breaking()


def test_removed_field_is_breaking(contract: Path) -> None:
    change(contract, "account.proto", "  int64 balance = 2;\n", "")
    with pytest.raises(ToolFailed, match='Previously present field "2" with name "balance" on message "Account"'):
        protos.find_breaking(module=contract)


def test_renumbered_field_is_breaking(contract: Path) -> None:
    change(contract, "account.proto", "int64 balance = 2;", "int64 balance = 6;")
    with pytest.raises(ToolFailed, match='field "2" with name "balance"'):
        protos.find_breaking(module=contract)


def test_removed_rpc_is_breaking(contract: Path) -> None:
    change(contract, "history_service.proto", "  rpc GetHead(GetHeadRequest) returns (GetHeadResponse);\n", "")
    with pytest.raises(ToolFailed, match='Previously present RPC "GetHead"'):
        protos.find_breaking(module=contract)


def test_new_field_is_not_breaking(contract: Path) -> None:
    field = "  int64 balance = 2;\n"
    change(contract, "account.proto", field, field + "  // A new one.\n  int64 credits_expired = 6;\n")
    protos.find_breaking(module=contract)


def test_missing_baseline_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"run: python -m tools\.protos baseline"):
        protos.find_breaking(against=tmp_path / "baseline.binpb")


def test_generated_code_that_is_not_fresh_is_named(contract: Path, tmp_path: Path) -> None:
    generated = tmp_path / "gen"
    protos.generate(generated, contract / "protos")
    assert protos.find_stale(generated, contract / "protos") == []

    (generated / "triptych/v1/account_pb2.py").write_text("# edited by hand\n")
    (generated / "triptych/v1/media_pb2.pyi").unlink()
    (generated / "triptych/v1/left_over_pb2.py").touch()
    assert protos.find_stale(generated, contract / "protos") == [
        "triptych/v1/account_pb2.py",
        "triptych/v1/left_over_pb2.py",
        "triptych/v1/media_pb2.pyi",
    ]


def test_command_line_answers_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert protos.main(["breaking"]) == 0
    assert capsys.readouterr().err == ""
