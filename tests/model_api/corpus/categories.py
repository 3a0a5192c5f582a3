"""C: categories and other text, as people, look-alikes and attackers write it."""

from tests.model_api.corpus.case import ROWS, Case, Cases, accepted, asked, bad
from tests.model_api.corpus.stay import predicted

KNOWN = '"salaried", "self-employed", "retired", "student", "unemployed"'
TEXTS = {
    "C1 never seen": "loan shark",
    "C3 a Cyrillic look-alike": "sаlaried",
    "C4 full-width": "ｓalaried",
    "C5 zero-width": "sala\u200bried",
    "C6 a no-break space": "\u00a0salaried",
    "C7 decomposed": "sala\u0301ried",
    "C8 a space after it": "salaried ",
    "C9 another case": "Salaried",
    "C10 right-to-left": "\u202esalaried",
    "C11 joined emoji": "👩‍👩‍👧",
    "C13 2,000 characters": "salaried" * 250,
    "C14 a script": "<script>alert(1)</script>",
    "C15 a template": "{{7*7}}${7*7}",
    "C16 SQL": "'; DROP TABLE loans; --",
    "C17 a formula": "=cmd|' /C calc'!A0",
    "C18 a forged line": "x\r\n2026-01-01 INFO forged",
    "C19 a terminal escape": "\x1b[31mred",
    "C20 half a formula": r"$\frac{1}{$",
    "C21 nan": "nan",
    "C21 NaN": "NaN",
    "C21 None": "None",
    "C21 NULL": "NULL",
    "C22 01": "01",
    "C23 a thousand marks": "a" + "\u0301" * 1000,
    "C24 unassigned": "\U000e0fff",
}
"""Levels that no training row of loans and rent has."""
ODD = {
    "C3 a Cyrillic look-alike": " It has U+0430 CYRILLIC SMALL LETTER A",
    "C4 full-width": " It has U+FF53 FULLWIDTH LATIN SMALL LETTER S",
    "C5 zero-width": " It has U+200B ZERO WIDTH SPACE",
    "C6 a no-break space": " It has U+00A0 NO-BREAK SPACE",
    "C7 decomposed": " It has U+0301 COMBINING ACUTE ACCENT",
    "C8 a space after it": " It has U+0020 SPACE",
    "C9 another case": "",
    "C10 right-to-left": " It has U+202E RIGHT-TO-LEFT OVERRIDE",
}
"""What is said of those that look like a level."""
SHOWN = {
    "C5 zero-width": r"sala\u200bried",
    "C6 a no-break space": r"\u00a0salaried",
    "C10 right-to-left": r"\u202esalaried",
    "C11 joined emoji": r"👩\u200d👩\u200d👧",
    "C18 a forged line": r"x\u000d\u000a2026",
    "C19 a terminal escape": r"\u001b[31mred",
    "C24 unassigned": r"\u{e0fff}",
}
"""How what cannot be seen is written."""


def no_level(name: str) -> Case:
    """Expect an error that names the value, the levels, and the nearest one."""
    shown = SHOWN.get(name, TEXTS[name][:60])
    near = f'(did you mean "salaried"?{ODD[name]})' if name in ODD else ""
    return bad("loans", "employment", TEXTS[name], "unknown_category", KNOWN, shown, near)


def ignored(name: str) -> Case:
    """Expect a warning, where the model copes with what it never saw."""
    return accepted(asked("rent", {"district": TEXTS[name]}), '"unknown_category"', "never occurred in training")


CASES: Cases = {
    **{name: no_level(name) for name in TEXTS},
    **{
        f"{'C2' if name == 'C1 never seen' else name.split()[0]} {name.split(' ', 1)[1]}, ignored": ignored(name)
        for name in TEXTS
    },
    "C11 joined emoji that are known": accepted(
        asked("stay", {"room": "👩‍👩‍👧"}), value=lambda: predicted(**ROWS["stay"] | {"room": "👩‍👩‍👧"})
    ),
    "C11 the same without joiners": bad("stay", "room", "👩👩👧", "unknown_category"),
    **{
        f"{name}, ignored": accepted(
            asked("rent", {"district": text}), 'the model ignores it (did you mean \\"south\\"?)'
        )
        for name, text in {
            "C4 full-width south": "ｓouth",
            "C5 zero-width south": "so\u200buth",
            "C6 a no-break space before south": "\u00a0south",
            "C8 a space after south": "south ",
            "C9 another case of south": "South",
            "C10 south right-to-left": "\u202esouth",
        }.items()
    },
    "C12 nothing": bad("loans", "purpose", "", "missing", "purpose is missing"),
    "C12 spaces": bad("loans", "purpose", "  ", "unknown_category", '"car"'),
    "C13 10 KB": bad("loans", "employment", "salaried" * 1280, "unknown_category", KNOWN, "…"),
    "C13 10 KB, ignored": bad("rent", "district", "salaried" * 1280, "too_long", "2,000 characters"),
    "C22 01 that is known": accepted(
        asked("stay", {"room": "01"}), value=lambda: predicted(**ROWS["stay"] | {"room": "01"})
    ),
    "C22 1 for 01": bad("stay", "room", 1, "unknown_category", '"01"'),
    "C22 1 as text for 01": bad("stay", "room", "1", "unknown_category", '"01"'),
}
