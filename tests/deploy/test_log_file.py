from __future__ import annotations

from pathlib import Path

from deploy.log_file import LogFile, error_in


def test_a_log_never_outgrows_its_bound_by_more_than_a_chunk_and_keeps_the_one_before(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "door.log", bound=100)
    for n in range(50):
        log.write(f"line {n:03}\n".encode())
    log.close()
    assert (tmp_path / "door.log").stat().st_size <= 120
    assert (tmp_path / "door.log.1").stat().st_size <= 120
    assert (tmp_path / "door.log").read_text().endswith("line 049\n")


def test_a_start_begins_a_log_anew_and_keeps_the_last_one_beside_it(tmp_path: Path) -> None:
    for text in (b"first\n", b"second\n"):
        log = LogFile(tmp_path / "door.log")
        log.write(text)
        log.close()
    assert (tmp_path / "door.log").read_text() == "second\n"
    assert (tmp_path / "door.log.1").read_text() == "first\n"


def test_what_is_shown_once_is_not_kept(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "demo.log", kept=False)
    assert log.write(b"code ABCD\nrest") == ["code ABCD"]
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_lines_are_told_whole_however_they_arrive(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "door.log")
    assert log.write(b'{"level": "er') == []
    assert log.write(b'ror"}\nnext') == ['{"level": "error"}']
    log.close()


def test_only_errors_are_worth_the_terminal() -> None:
    assert error_in('{"level": "error", "message": "the disk is full"}') == "the disk is full"
    assert error_in('{"level": "critical", "message": "gone"}') == "gone"
    assert error_in('{"level": "info", "message": "listening"}') is None
    assert error_in("Traceback (most recent call last):") is None
    assert error_in("{broken") is None


def test_a_full_disk_loses_lines_and_not_the_door() -> None:
    log = LogFile(Path("/dev/full"))
    assert log.write(b"a line\n") == ["a line"]
    assert log.failed is not None
