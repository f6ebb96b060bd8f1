"""From the model's objects to what a template shows (pure functions), a module for each kind of page.

Templates hold no logic beyond loops and conditions: what a date looks like, where a link goes, which words are marked
and how a text falls into paragraphs is decided here. Links to a place in the application are made by the views; a
presenter only knows the parts of an address it is given.
"""
