"""The languages of other model servers, spoken over the same core: each module translates one, and decides nothing.

A protocol's module turns bytes into instances and an `Answer` into that protocol's bytes. What all of them share:

desk.py        finds the model, computes in a thread, keeps the caller's deadline, counts
bodies.py      bytes and headers of a request, checked before anything is made of them
instances.py   rows, columns and matrices → instances
dialects.py    our errors, with the keys that each protocol's clients read
"""
