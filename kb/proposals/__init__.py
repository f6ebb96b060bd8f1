"""Proposes who, what and when of a report from its own text, each with its evidence; an editor confirms or changes it.

    from kb.proposals.proposing import propose

    found = propose(document)

Pure: a document goes in, proposals come out. Nothing here reads a file's dates or properties.
"""
