"""Training: the plan, the loop, optimisers, schedules, weight averaging."""
