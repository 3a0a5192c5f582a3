"""Many instances in one request: CSV, Parquet and Arrow, in and out, by whole columns.

    media.py       media types: what is sent, and what is asked for
    routes.py      HTTP: body, options, deadline
    answering.py   body → answer, piece by piece
    sources.py     body → pieces of columns: csv_records.py, parquet.py (with thrift.py), ipc.py; all limits are theirs
    plain.py       a column of any type → one of the few that JSON could say
    checking.py    columns → verdicts, the same as those of Signature.check, which is asked about every doubtful row
    predicting.py  checked columns → predictions
    results.py     predictions → columns
    writing.py     columns → CSV, Parquet, Arrow or JSON

pyarrow is imported when the first such request comes: a process that gets none stays small.
"""
