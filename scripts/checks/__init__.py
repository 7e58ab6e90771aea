"""What `make check` looks at beyond the compiler and the formatter: the house rules of CONTRIBUTING.md, and whether documents are true.

A check is a function that takes a Repository and yields findings. `python3 -m unittest discover scripts` shows each of them a
small repository that breaks its rule.
"""
