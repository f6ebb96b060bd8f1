"""Lessons that live: what editors have concluded from cited passages, with an owner, a review date and a status."""
