"""Finding a table of contents among a document's blocks (pure functions).

An entry names a heading that comes later. Four or more blocks in a row that are headings or end in a page number, at
least half of them naming later headings, are a table of contents: real headings have text between them, and are not
said twice.
"""

from __future__ import annotations

import re

from kb.extract.blocks import Block, Kind

_FEWEST = 4
_NUMBERED = re.compile(r"^(.{3,150}?)[\s.…]{0,300}\s(\d{1,3})$")
_TITLE = re.compile(r"(?:indhold(?:sfortegnelse)?|(?:table of )?contents)\s*:?", re.IGNORECASE)


def without_contents_list(blocks: list[Block]) -> list[Block]:
    """The blocks without the table of contents and its title."""
    last_place = {bare(block.text): place for place, block in enumerate(blocks) if block.kind is Kind.HEADING}
    named = [last_place.get(_entry(block), -1) > place for place, block in enumerate(blocks)]
    remaining: list[Block] = []
    place = 0
    while place < len(blocks):
        end = _end_of_run(blocks, named, place)
        run = named[place:end]
        if len(run) >= _FEWEST and sum(run) >= len(run) / 2:
            if remaining and _TITLE.fullmatch(remaining[-1].text):
                remaining.pop()
            place = end
        else:
            remaining.append(blocks[place])
            place += 1
    return remaining


def _end_of_run(blocks: list[Block], named: list[bool], start: int) -> int:
    """Where the run of possible entries ends that begins with an entry here."""
    if not named[start]:
        return start
    end = last = start
    while end < len(blocks) and (blocks[end].kind is Kind.HEADING or named[end] or _NUMBERED.match(blocks[end].text)):
        end += 1
        if named[end - 1]:
            last = end
    return last


def _entry(block: Block) -> str:
    text = block.text.removeprefix("- ")
    match = _NUMBERED.match(text)
    return bare(match[1]) if match and block.kind is not Kind.HEADING else bare(text)


def bare(text: str) -> str:
    """A heading without its number, spaces and punctuation, to be compared with another."""
    return re.sub(r"^[\d.\s]+|[\W_]+", "", text).lower()
