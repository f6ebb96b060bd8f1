"""Written follow-up questions with what they mean; ``python -m benchmarks.follow_ups`` measures how many are understood."""
