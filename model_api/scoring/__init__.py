"""`servery score`: files of any size, in constant memory, and going on where it was interrupted.

command.py    the verb
run.py        the loop: pieces of IN → predictions → the unfinished OUT, recorded part by part
scorers.py    who predicts: a version that is loaded here, or a service
inputs.py     IN, by its extension
outputs.py    OUT, by its extension: written aside, only ever appended to, and put in place at the end
journal.py    which parts are finished
progress.py   what a person sees meanwhile
"""
