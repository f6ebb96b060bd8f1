"""The rehearsal understands the Containerfile that is shipped."""

from __future__ import annotations

from tools import container_rehearsal as rehearsal

SHIPPED = list(rehearsal.instructions(rehearsal.CONTAINERFILE.read_text(encoding="utf-8")))


def test_every_instruction_is_one_that_is_rehearsed() -> None:
    known = {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "HEALTHCHECK", "CMD", "EXPOSE", "VOLUME"}
    assert {one.verb for one in SHIPPED} == known
    assert [one.rest for one in SHIPPED if one.verb == "USER"] == ["990"]


def test_lines_are_joined_and_comments_left_out() -> None:
    text = '# note\nRUN a \\\n    && b\n\nENV A=1 \\\n B="2 3"\n'
    assert [(one.verb, one.rest) for one in rehearsal.instructions(text)] == [("RUN", "a && b"), ("ENV", 'A=1 B="2 3"')]
    assert rehearsal.environment_of('A=1 B="2 3"') == {"A": "1", "B": "2 3"}


def test_commands_are_read_in_their_json_form() -> None:
    assert rehearsal.command_of('--interval=30s CMD ["kb", "x y"]') == ["kb", "x y"]
    (health,) = [rehearsal.command_of(one.rest) for one in SHIPPED if one.verb == "HEALTHCHECK"]
    assert "/api/v1/health/ready" in health[-1]


def test_what_runs_is_shut_in_as_the_compose_file_says() -> None:
    stage = rehearsal.Stage(rehearsal.REPOSITORY, user="990")
    isolated = " ".join(rehearsal.chroot(stage, "kb serve", isolated=True))
    assert "--net" in isolated
    assert "remount,bind,ro" in isolated
    assert "--userspec=990:990" in isolated
    assert "--net" not in " ".join(rehearsal.chroot(stage, "apt-get update"))
