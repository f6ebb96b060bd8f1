"""Projektstart-tjek: what the base has to tell a plan for a project, every sentence cited.

:func:`kb.project_start.checking.check` compares a :class:`kb.project_start.plan.Plan` with the projects of a build:
those that are like it, what they ran into and how they handled it, where they stopped, what the plan does not mention,
and what is ready to be used again. Nothing is written that a report does not say.
"""

from kb.project_start.checking import check
from kb.project_start.findings import Check
from kb.project_start.plan import Plan, PlanFields

__all__ = ["Check", "Plan", "PlanFields", "check"]
