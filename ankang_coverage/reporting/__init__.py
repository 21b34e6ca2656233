"""What the planner shows others: maps and exports."""
