"""Runs the benchmark programs beside each other and compares them.

workloads   what is measured, by whom, and who is compared with whom
budgets     the one table of limits
engines     the threads against the loops: what is compared, and what counts as no regression
execution   one program, one run: start it, bound it, believe its answer only if it is whole
summary     medians, ratios, verdicts: arithmetic without side effects
report      the table for people, the JSON for programs
"""
