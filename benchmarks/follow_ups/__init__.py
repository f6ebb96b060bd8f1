"""Written follow-up questions and what they mean; ``python -m benchmarks.follow_ups`` tells how many are understood."""
