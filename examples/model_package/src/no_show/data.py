"""Appointments that a program made up: every ordinary dtype of pandas, with missing values in each."""

import numpy as np
import pandas as pd

ROWS, TEST_ROWS, SEED = 3000, 1000, 7
MISSING = 0.06
CLINICS = ["east", "harbour", "old town"]
REASONS = ["check-up", "follow-up", "first visit", "vaccination"]


def appointments(rows: int, seed: int) -> tuple[pd.DataFrame, "pd.Series[bool]"]:
    """Draw appointments, and whether the patient did not come."""
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2025-01-01")
    booked = start + pd.to_timedelta(random.integers(0, 365 * 24 * 60, rows), unit="min")
    wait = random.gamma(2.0, 9.0, rows).astype(int) + 1
    frame = pd.DataFrame(
        {
            "booked_at": pd.Series(booked),
            "appointment": pd.Series(booked).dt.normalize() + pd.to_timedelta(wait, unit="D"),
            "age": pd.array(random.integers(18, 95, rows), dtype="Int64"),
            "distance": np.round(random.gamma(2.0, 4.0, rows), 1),
            "reminded": pd.array(random.random(rows) < 0.6, dtype="boolean"),
            "clinic": pd.Categorical(random.choice(CLINICS, rows), categories=CLINICS),
            "reason": pd.Series(random.choice(REASONS, rows), dtype="str"),
        }
    )
    log_odds = (
        -2.4 + 0.05 * wait + 0.04 * frame["distance"] - 0.9 * frame["reminded"].astype(float)
        - 0.015 * (frame["age"].astype(float) - 50) + 0.6 * (frame["reason"] == "first visit")
        + 0.5 * (frame["appointment"].dt.day_of_week == 0)
    )  # fmt: skip
    missed = random.random(rows) < 1 / (1 + np.exp(-log_odds))
    for column in frame.columns:
        frame.loc[random.random(rows) < MISSING, column] = None
    return frame, pd.Series(missed, name="missed")
