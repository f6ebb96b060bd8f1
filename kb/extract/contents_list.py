"""Finding a table of contents among a document's blocks (pure functions).

An entry names a heading that comes later. Four or more blocks in a row that are headings or end in a page number, at
least half of them naming later headings, are a table of contents: real headings have text between them, and are not
said twice, except in a letterhead. A list that a sentence introduces ("Kategorierne er:") is none.
"""

from __future__ import annotations

import re
from itertools import pairwise

from kb.extract.blocks import Block, Kind

_FEWEST = 4
_NUMBERED = re.compile(r"^(.{3,150}?)[\s.…]{0,300}\s(\d{1,3})$")
_TITLE = re.compile(r"(?:indhold(?:sfortegnelse)?|(?:table of )?contents)\s*:?", re.IGNORECASE)


def without_contents_list(blocks: list[Block]) -> list[Block]:
    """The blocks without the table of contents and its title."""
    last_place = {bare(block.text): place for place, block in enumerate(blocks) if block.kind is Kind.HEADING}
    targets = [max(last_place.get(name, -1) for name in _names(block.text)) for block in blocks]
    named = [target > place for place, target in enumerate(targets)]
    remaining: list[Block] = []
    place = 0
    while place < len(blocks):
        end = _end_of_run(blocks, named, place)
        run = named[place:end]
        before = remaining[-1].text if remaining else ""
        is_titled = _TITLE.fullmatch(before) is not None
        if len(run) < _FEWEST or sum(run) < len(run) / 2:
            remaining.append(blocks[place])
            place += 1
            continue
        led_to = [target for target, is_named in zip(targets[place:end], run, strict=True) if is_named]
        is_introduced = before.endswith(":") and not is_titled and _is_list(blocks[place:end])
        if is_introduced or not _have_text_between(led_to):
            remaining += blocks[place:end]
        elif is_titled:
            remaining.pop()
        place = end
    return remaining


def _end_of_run(blocks: list[Block], named: list[bool], start: int) -> int:
    """Where the run of possible entries ends that begins with an entry here."""
    if not named[start]:
        return start
    end = last = start
    entries: set[str] = set()
    while end < len(blocks):
        block = blocks[end]
        found = _NUMBERED.match(block.text.removeprefix("- "))
        if not (block.kind is Kind.HEADING or named[end] or found):
            break
        if found:
            entries.add(bare(found[1]))
        elif bare(block.text) in entries:
            break  # the first heading that the list names
        end += 1
        if named[end - 1]:
            last = end
    return last


def _is_list(run: list[Block]) -> bool:
    """Whether the blocks are items without page numbers."""
    return all(block.kind is Kind.ITEM and not _NUMBERED.match(block.text) for block in run)


def _have_text_between(places: list[int]) -> bool:
    """Whether headings do not stand right after one another, as the lines of a letterhead that is said twice do."""
    steps = [after - before for before, after in pairwise(sorted(set(places)))]
    return not steps or sum(step > 1 for step in steps) >= len(steps) / 2


def _names(entry: str) -> list[str]:
    """The headings that an entry may name: what it says, and that without a page number."""
    text = entry.removeprefix("- ")
    match = _NUMBERED.match(text)
    return [bare(text), bare(match[1])] if match else [bare(text)]


def bare(text: str) -> str:
    """A heading without its number, spaces and punctuation, to be compared with another."""
    return re.sub(r"^[\d.\s]+|[\W_]+", "", text).lower()
