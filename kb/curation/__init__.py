"""What the editors do about questions that were not answered: gaps, a house's own words, and pinned passages (pure).

``gaps`` groups the questions, ``words`` holds what editors decide of words and pinned passages, with its checks and its
form in files. Where it is stored is :mod:`kb.state.gaps` and :mod:`kb.state.curation`.
"""
